import { type HostName, type Problem } from '#kernel';
import { KEYS, type DocumentKey, type HostDocument, type PortDocument, type StateDocument } from '#contracts';
import { setsOf } from '../projection/documents.js';
import { type DocumentFault } from './snapshot.js';

/** What is held under a key. `null`: known to be nothing. */
export interface Entry {
  readonly seq: number;
  readonly document: StateDocument | null;
  readonly fault: Problem | null;
}

/** What one host holds, and what it lacks. Versions of a key replace each other by greater sequence only. */
export class Table {
  private readonly entries = new Map<DocumentKey, Entry>();
  private changes = 0;
  /** Goes up with what says which keys are needed: documents of the host and its ports, and what policies name. */
  private shape = 0;
  /** What follows from what is held, as of a version: every mark asks for it, and most bring nothing. */
  private keys: {
    readonly version: number;
    readonly needed: ReadonlySet<DocumentKey>;
    readonly sorted: readonly DocumentKey[];
    /** By group and set, as what ports and policies ask for it. */
    readonly asked: ReadonlyMap<DocumentKey, readonly Asked[]>;
  } | null = null;
  private lacks: { readonly version: number; readonly missing: readonly DocumentKey[] } | null = null;

  constructor(private readonly host: HostName) {}

  /** Grows with each change of what is held. */
  get version(): number {
    return this.changes;
  }

  get(key: DocumentKey): Entry | undefined {
    return this.entries.get(key);
  }

  /** Whether any of it was written after that. */
  isLater(seq: number): boolean {
    for (const entry of this.entries.values()) if (entry.seq > seq) return true;
    return false;
  }

  /** True when it changed something. */
  put(key: DocumentKey, entry: Entry): boolean {
    const old = this.entries.get(key);
    if (old !== undefined && old.seq >= entry.seq) return false;
    this.entries.set(key, entry);
    this.changes += 1;
    if (this.isOwn(key) || setsOf(old?.document).length > 0 || setsOf(entry.document).length > 0)
      this.shape += 1;
    return true;
  }

  isOwn(key: DocumentKey): boolean {
    return key.startsWith(`h.${this.host}.`);
  }

  hostDocument(): HostDocument | null {
    const document = this.entries.get(KEYS.host(this.host))?.document;
    return document?.type === 'host' ? document : null;
  }

  /** The port documents that the host document lists, as far as they are held. */
  ports(): PortDocument[] {
    const found: PortDocument[] = [];
    for (const id of this.hostDocument()?.ports ?? []) {
      const document = this.entries.get(KEYS.port(this.host, id))?.document;
      if (document?.type === 'port') found.push(document);
    }
    return found;
  }

  /** Every key to hold, by what is held now: more documents may bring more keys. */
  needed(): ReadonlySet<DocumentKey> {
    return this.keysNow().needed;
  }

  private keysNow(): NonNullable<Table['keys']> {
    if (this.keys?.version !== this.shape) {
      const needed = this.findNeeded();
      const asked = askedOf([...needed].flatMap((key) => this.entries.get(key)?.document ?? []));
      this.keys = { version: this.shape, needed, sorted: [...needed].sort(), asked };
    }
    return this.keys;
  }

  private findNeeded(): Set<DocumentKey> {
    const keys = new Set<DocumentKey>([KEYS.host(this.host)]);
    const host = this.hostDocument();
    if (host === null) return keys;
    for (const id of host.ports) keys.add(KEYS.port(this.host, id));
    for (const name of host.groups) keys.add(KEYS.group(name));
    for (const it of host.switches) keys.add(KEYS.switch(it.switch));
    for (const port of this.ports()) keys.add(KEYS.group(port.group)).add(KEYS.switch(port.switch));
    for (const key of [...keys])
      for (const { name } of setsOf(this.entries.get(key)?.document)) keys.add(KEYS.set(name));
    return keys;
  }

  /** Needed keys of which nothing is known, and what is held in a version before the one that is asked for. */
  missing(): readonly DocumentKey[] {
    if (this.lacks?.version !== this.changes)
      this.lacks = { version: this.changes, missing: this.findMissing() };
    return this.lacks.missing;
  }

  private findMissing(): DocumentKey[] {
    const lacking = new Set<DocumentKey>();
    for (const key of this.needed()) if (!this.entries.has(key)) lacking.add(key);
    for (const [key, asked] of this.keysNow().asked) {
      const document = this.entries.get(key)?.document;
      const isThere = document?.type === 'group' || document?.type === 'set';
      if (isThere && !asked.every((it) => reaches(document, it))) lacking.add(key);
    }
    return [...lacking];
  }

  /** What the host is to carry out, and what of it can't be read. */
  content(): { documents: Map<DocumentKey, StateDocument>; faults: DocumentFault[] } {
    const documents = new Map<DocumentKey, StateDocument>();
    const faults: DocumentFault[] = [];
    for (const key of this.keysNow().sorted) {
      const entry = this.entries.get(key);
      if (entry?.fault) faults.push({ key, problem: entry.fault });
      else if (entry?.document && entry.document.type !== 'tombstone') documents.set(key, entry.document);
    }
    return { documents, faults };
  }

  /** Forgets what nobody needs and what was already so at `seq`: later versions come by themselves. */
  prune(seq: number): void {
    const needed = this.needed();
    if (this.entries.size === needed.size && this.missing().length === 0) return;
    for (const [key, entry] of this.entries)
      if (!needed.has(key) && entry.seq <= seq) this.entries.delete(key);
  }
}

/** A group as of which ports that name it are to be carried out, and so a set. */
type Asked = Pick<PortDocument, 'lineage' | 'minRevision'>;

const reaches = (held: StateDocument, { lineage, minRevision }: Asked): boolean =>
  held.lineage === lineage && held.revision >= minRevision;

function askedOf(documents: readonly StateDocument[]): ReadonlyMap<DocumentKey, readonly Asked[]> {
  const found = new Map<DocumentKey, Asked[]>();
  const ask = (key: DocumentKey, { lineage, minRevision }: Asked): void => {
    const asked = found.get(key) ?? [];
    const known = asked.findIndex((it) => it.lineage === lineage);
    if (known < 0) asked.push({ lineage, minRevision });
    else if ((asked[known]?.minRevision ?? 0) < minRevision) asked[known] = { lineage, minRevision };
    found.set(key, asked);
  };
  for (const document of documents) {
    if (document.type === 'port') ask(KEYS.group(document.group), document);
    const { lineage } = document;
    for (const { name, minRevision } of setsOf(document)) ask(KEYS.set(name), { lineage, minRevision });
  }
  return found;
}
