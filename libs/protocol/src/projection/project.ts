import { type HostName, type MigrationId, type PortId, type Revision, type SetName } from '#kernel';
import { KEYS, type DocumentKey, type HandoverToken, type StateDocument } from '#contracts';
import { type DomainEvent, type State } from '#domain';
import { rank, sameContent, tombstoneOf, type DocumentChange, type Documents } from './documents.js';
import { hostDocument } from './of-host.js';
import { placements, portDocuments } from './of-port.js';
import { groupDocument, setDocument, switchDocument } from './of-shared.js';
import { projectAll } from './project-all.js';
import { stampOf, type Stamp } from './stamp.js';
import { touchedBy, type Touched } from './touched.js';

/**
 * The documents that a commit changes, in writing order. `documents` is what stood before it, tombstones included; it
 * is not changed. A document whose content stays is not among them and so keeps its revision. The work is in
 * proportion to what the commit touches, not to the state.
 */
export function project(
  before: State,
  after: State,
  events: readonly DomainEvent[],
  documents: Documents,
  handoverToken: HandoverToken,
): readonly DocumentChange[] {
  const stamp = stampOf(after);
  if (stamp === null) return [];
  if (before.lineage !== after.lineage) return replaceAll(after, stamp, documents, handoverToken);
  return new Commit(before, after, stamp, documents, handoverToken).changes(touchedBy(events, before, after));
}

/** `documents` with the changes of a commit laid over. */
export function withChanges(
  documents: Documents,
  changes: readonly DocumentChange[],
): Map<DocumentKey, StateDocument> {
  const next = new Map(documents);
  for (const { key, document } of changes) next.set(key, document);
  return next;
}

/** The same, laid over them at once; one commit or several, of which only the state before and after counts. */
export function takeChanges(
  documents: Map<DocumentKey, StateDocument>,
  before: State,
  after: State,
  events: readonly DomainEvent[],
  handoverToken: HandoverToken,
): readonly DocumentChange[] {
  const changes = project(before, after, events, documents, handoverToken);
  for (const { key, document } of changes) {
    // That something was there is the projector's to remember, until every host has heard of it.
    if (document.type === 'tombstone') documents.delete(key);
    else documents.set(key, document);
  }
  return changes;
}

/** Every document anew, and a tombstone for what is no more. */
export function replaceAll(
  state: State,
  stamp: Stamp,
  documents: Documents,
  handoverToken: HandoverToken,
): readonly DocumentChange[] {
  const all = projectAll(state, handoverToken);
  for (const [key, old] of documents)
    if (!all.has(key)) all.set(key, tombstoneOf(old, stamp.lineage, stamp.revision));
  const changes = [...all].map(([key, document]) => ({ key, document }));
  return inOrder(changes.filter(({ key, document }) => !sameContent(documents.get(key), document)));
}

const inOrder = (changes: DocumentChange[]): DocumentChange[] =>
  changes.sort((a, b) => rank(a.document) - rank(b.document));

class Commit {
  private readonly found = new Map<DocumentKey, DocumentChange>();

  constructor(
    private readonly before: State,
    private readonly after: State,
    private readonly stamp: Stamp,
    private readonly documents: Documents,
    private readonly handoverToken: HandoverToken,
  ) {}

  changes(touched: Touched): readonly DocumentChange[] {
    this.shared(touched);
    for (const name of touched.hosts) this.comingOrGoing(name, touched);
    for (const id of touched.ports) this.port(id);
    for (const name of touched.hosts) this.host(name, touched);
    return inOrder([...this.found.values()]);
  }

  private shared(touched: Touched): void {
    for (const name of touched.sets) {
      const it = this.after.sets.get(name);
      this.is(KEYS.set(name), it === undefined ? null : setDocument(this.after, it, this.stamp));
    }
    for (const name of touched.switches) {
      const it = this.after.switches.get(name);
      this.is(KEYS.switch(name), it === undefined ? null : switchDocument(it, this.stamp, this.revisionOf));
    }
    for (const name of touched.groups) {
      const it = this.after.groups.get(name);
      this.is(KEYS.group(name), it === undefined ? null : groupDocument(it, this.stamp, this.revisionOf));
    }
  }

  /** A host that comes or goes brings or takes all its ports' documents. */
  private comingOrGoing(host: HostName, touched: Touched): void {
    if (!this.after.hosts.has(host)) for (const id of this.portsOf(host)) touched.ports.add(id);
    else if (this.documents.get(KEYS.host(host))?.type !== 'host')
      for (const id of this.after.byHost.get(host) ?? []) touched.ports.add(id);
  }

  private port(id: PortId): void {
    const port = this.after.ports.get(id);
    const now = new Map<DocumentKey, StateDocument>();
    if (port !== undefined) {
      const minRevision = this.standing(KEYS.group(port.group));
      for (const document of portDocuments(
        this.after,
        port,
        this.stamp,
        minRevision,
        this.revisionOf,
        this.handoverToken,
      ))
        now.set(document.key, document);
    }
    const hosts = [...placements(this.before.ports.get(id)).keys(), ...placements(port).keys()];
    for (const key of new Set(hosts.map((host) => KEYS.port(host, id)))) this.is(key, now.get(key) ?? null);
  }

  private readonly revisionOf = (name: SetName): Revision => this.standing(KEYS.set(name));

  /** Revision of a shared document, as it is after this commit. */
  private standing(key: DocumentKey): Revision {
    const document = this.found.get(key)?.document ?? this.documents.get(key);
    return document === undefined || document.type === 'tombstone' ? this.stamp.revision : document.revision;
  }

  private host(name: HostName, touched: Touched): void {
    const host = this.after.hosts.get(name);
    if (host === undefined) return this.is(KEYS.host(name), null);
    const old = this.documents.get(KEYS.host(name));
    // A host that is new here may have a past: then everything is looked through, once.
    const known = old?.type === 'host' ? old : null;
    const ports = known === null ? (this.after.byHost.get(name) ?? []) : [...known.ports, ...touched.ports];
    const migrations: readonly MigrationId[] =
      known === null
        ? [...this.after.migrations.keys()]
        : [
            ...[...known.migrations, ...(known.arrivals ?? [])].map((m) => m.migration),
            ...touched.migrations,
          ];
    this.is(KEYS.host(name), hostDocument(this.after, host, this.stamp, ports, migrations));
  }

  private portsOf(host: HostName): readonly PortId[] {
    const old = this.documents.get(KEYS.host(host));
    return old?.type === 'host' ? old.ports : [];
  }

  private is(key: DocumentKey, document: StateDocument | null): void {
    const old = this.documents.get(key);
    if (document !== null) {
      if (!sameContent(old, document)) this.found.set(key, { key, document });
    } else if (old !== undefined && old.type !== 'tombstone') {
      this.found.set(key, { key, document: tombstoneOf(old, this.stamp.lineage, this.stamp.revision) });
    }
  }
}
