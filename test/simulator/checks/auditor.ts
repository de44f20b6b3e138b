import { type Lineage, type Revision } from '#kernel';
import {
  atLeast,
  checkInvariants,
  effectivePolicy,
  ledgerTotals,
  PHASE_DURATIONS,
  verifyLedger,
  type DomainEvent,
  type Port,
  type RawCounters,
  type State,
} from '#domain';
import { type DocumentKey, type StateDocument } from '#contracts';
import { Replica, stateDigest, type Commit } from '#event-store';
import { contentOf, keysOfHost, project, projectAll, type Snapshot } from '#protocol';
import { clusterRules, stateCodec } from '#runtime';
import { type StreamMessage } from '../bus/stream.js';
import { handoverToken } from '../services/signing.js';

/** What held for one interface from a revision on. */
interface Held {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly blocked: boolean;
  readonly segment: string;
}

/** Actor of commands that the story's operator gives. */
export const OPERATOR = 'op';

/** What is known of a log that was put back. */
interface Returned {
  readonly lineage: Lineage | undefined;
  /** Who had read more than it now holds, and lives: whoever of them writes must open a new lineage. */
  readonly knowing: ReadonlySet<string>;
  /** Something was written to it since. */
  readonly goneOn: boolean;
  /** The last message that it no longer holds. */
  readonly end: StreamMessage | undefined;
}

interface Past {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly contents: ReadonlyMap<DocumentKey, string>;
}

/** Reads the log as it is written, by itself, and holds everything else against it. */
export class Auditor {
  private replica = new Replica<State, DomainEvent>(clusterRules);
  private stored: StreamMessage[] = [];
  private events: DomainEvent[] = [];
  private readonly totals = new Map<string, RawCounters>();
  private readonly commands = new Map<string, number>();
  private readonly asked = new Map<string, Revision>();
  private readonly held = new Map<string, Held[]>();
  private past: Past[] = [];
  /** `port epoch` → whose it is. */
  private readonly epochs = new Map<string, string>();
  /** When the present phase of each migration was stored. */
  private readonly phases = new Map<string, number>();
  /** `port host` → the last revision that took the port, or its standby, from the host. */
  private readonly left = new Map<string, Revision>();
  private documents = new Map<DocumentKey, StateDocument>();
  /** What held in histories that are no more: hosts carry it out until they hear of another lineage. */
  private readonly lostPolicies = new Map<string, Held[]>();
  /** The log came back older, and nothing in it says so yet. */
  private returned: Returned | null = null;
  private rereading = false;
  /** Documents speak of more than the log holds: a new lineage has to come, whatever managers remember. */
  owesLineage = false;
  /** How often the log lost something. */
  returns = 0;
  /** Every port that an interface ever had. */
  readonly portsOf = new Map<string, Set<Port['id']>>();
  commits = 0;
  /** A commit that is new. */
  onCommit: (events: readonly DomainEvent[], before: State, after: State) => void = () => undefined;
  /** A host is no more; the state before that. */
  onRemoved: (host: string, before: State) => void = () => undefined;

  constructor(
    private readonly broken: (what: string) => void,
    private readonly note: (text: string) => void,
    /** Monotonic, ms. */
    private readonly now: () => number,
  ) {}

  get state(): State {
    return this.replica.state;
  }

  get revision(): Revision {
    return this.replica.head.revision;
  }

  get lineage(): Lineage | undefined {
    return this.replica.head.lineage;
  }

  /** A message of the log, at the moment it is stored. */
  take(message: StreamMessage): void {
    this.stored.push(message);
    const topic = message.subject.slice('log.'.length) as 'commit';
    const applied = this.replica.apply({ seq: message.seq, topic, bytes: message.bytes });
    if (!applied.ok)
      return this.broken(`the log can't be read at ${message.seq}: ${applied.error.problem.message}`);
    if (applied.value.kind === 'commit')
      this.committed(applied.value.commit, applied.value.before, applied.value.after);
    this.checkWhole(message);
  }

  /** A leader that had no answer stored all that was lost once more, to the byte: nothing of it is lost any more. */
  private checkWhole({ seq, bytes }: StreamMessage): void {
    const end = this.returned?.end;
    if (end?.seq === seq && Buffer.compare(end.bytes, bytes) === 0) this.returned = null;
  }

  /** Nothing in the log says yet that it was put back. */
  get isReturned(): boolean {
    return this.returned !== null;
  }

  /** The log was put back to what its first messages were; what came after them never was. */
  putBack(messages: number, knowing: Returned['knowing']): void {
    const kept = this.stored.slice(0, messages);
    const end = this.stored.at(-1);
    if (kept.length === this.stored.length) return;
    for (const [iface, list] of this.held)
      this.lostPolicies.set(iface, [...(this.lostPolicies.get(iface) ?? []), ...list]);
    this.replica = new Replica<State, DomainEvent>(clusterRules);
    this.stored = [];
    this.events = [];
    this.past = [];
    this.documents = new Map();
    for (const known of [this.totals, this.commands, this.asked, this.held, this.epochs, this.left])
      known.clear();
    this.rereading = true;
    for (const message of kept) this.take(message);
    this.rereading = false;
    this.returned = { knowing, lineage: this.lineage, goneOn: false, end };
    this.returns += 1;
  }

  /** Revisions were used that this log does not hold: whoever knows may not use them again. */
  private checkReturned({ lineage, actor, revision, events }: Commit<DomainEvent>): void {
    if (this.returned === null) return;
    if (lineage !== this.returned.lineage) {
      this.returned = null;
      this.owesLineage = false;
      return;
    }
    // A term from before the copy goes on just where it stood: it looked at the documents when it began.
    if (events.length > 0 && !this.returned.goneOn) this.owesLineage = false;
    this.returned = { ...this.returned, goneOn: true };
    if (this.returned.knowing.has(actor))
      this.broken(`${actor} had read more than this log holds, and goes on with revision ${revision}`);
  }

  private committed(commit: Commit<DomainEvent>, before: State, after: State): void {
    if (!this.rereading) {
      this.commits += 1;
      this.note(
        `   # ${commit.revision} ${commit.commandId} by ${commit.actor}: ${commit.events.map(short).join(', ')}`,
      );
      for (const what of checkInvariants(after)) this.broken(`at revision ${commit.revision}: ${what}`);
      this.checkReturned(commit);
      this.onCommit(commit.events, before, after);
    }
    const twice = this.commands.get(commit.commandId);
    if (twice !== undefined)
      this.broken(`command ${commit.commandId} was done at ${twice} and at ${commit.revision}`);
    this.commands.set(commit.commandId, commit.revision);
    if (commit.actor === OPERATOR) this.once(commit.correlationId, commit.revision);
    this.events.push(...commit.events);
    for (const event of commit.events) {
      if (event.type === 'HostRemoved' && !this.rereading) this.onRemoved(event.name, before);
      if (event.type !== 'PortConnected') continue;
      const { ifaceId } = event.connectee;
      this.portsOf.set(ifaceId, (this.portsOf.get(ifaceId) ?? new Set()).add(event.port));
    }
    this.checkLedgers(before, after, commit.revision);
    this.checkEpochs(before, after, commit.revision);
    this.checkTimeOuts(commit);
    this.remember(commit, before, after);
  }

  /** What the operator asked for once stands once, under whatever id it came. */
  private once(correlationId: string, revision: Revision): void {
    const before = this.asked.get(correlationId);
    if (before !== undefined) this.broken(`${correlationId} was done at ${before} and again at ${revision}`);
    this.asked.set(correlationId, revision);
  }

  /** Totals of what is closed never go back. */
  private checkLedgers(before: State, after: State, revision: Revision): void {
    for (const [id, port] of after.ports) {
      if (before.ports.get(id)?.ledger === port.ledger) continue;
      const now = ledgerTotals(port.ledger, () => undefined);
      const earlier = this.totals.get(id);
      if (earlier !== undefined && !atLeast(now, earlier))
        this.broken(`the ledger of ${id} fell at ${revision}`);
      this.totals.set(id, now);
    }
  }

  /** The fencing token of a port only grows, and each of its values is one host's for ever. */
  private checkEpochs(before: State, after: State, revision: Revision): void {
    for (const [id, port] of after.ports) {
      const earlier = before.ports.get(id);
      if (earlier === port) continue;
      // A standby may have opened at a host that is not heard of.
      const now = [port.active?.host, port.standby?.host];
      for (const had of [earlier?.active, earlier?.standby])
        if (had && !now.includes(had.host)) this.left.set(`${id} ${had.host}`, revision);
      if (earlier !== undefined && port.epoch < earlier.epoch)
        this.broken(`the epoch of ${id} fell from ${earlier.epoch} to ${port.epoch} at ${revision}`);
      for (const b of [port.active, port.standby]) {
        if (b === null) continue;
        const owner = this.epochs.get(`${id} ${b.epoch}`) ?? b.host;
        this.epochs.set(`${id} ${b.epoch}`, owner);
        if (owner !== b.host)
          this.broken(`${id} is bound to ${b.host} at epoch ${b.epoch}, which was that of ${owner}`);
        if (earlier?.retiring.some((r) => r.epoch === b.epoch) === true)
          this.broken(`${id} is bound again at epoch ${b.epoch}, which had retired`);
      }
    }
  }

  /** Every phase has its whole time, by a clock that nobody sets: the log's own follows its leaders' wall clocks. */
  private checkTimeOuts(commit: Commit<DomainEvent>): void {
    const timedOut = new Set<string>();
    for (const event of commit.events) {
      if (event.type === 'MigrationStarted') this.phases.set(event.migration.id, this.now());
      if (event.type !== 'MigrationAdvanced') continue;
      const lasted = this.now() - (this.phases.get(event.migration) ?? 0);
      this.phases.set(event.migration, this.now());
      // What is read again took its time when it was written.
      if (this.rereading || !commit.commandId.includes(':time-out')) continue;
      // What a time-out brings about in the same commit is no other.
      if (timedOut.has(event.migration)) continue;
      timedOut.add(event.migration);
      if (lasted < (PHASE_DURATIONS[event.from] ?? Number.POSITIVE_INFINITY))
        this.broken(`${event.migration} timed out in ${event.from} after ${lasted} ms`);
    }
  }

  private remember(commit: Commit<DomainEvent>, before: State, after: State): void {
    const { lineage, revision } = commit;
    const isNew = lineage !== this.past.at(-1)?.lineage;
    if (isNew) this.documents = new Map(projectAll({ ...after, lineage, revision }, handoverToken));
    const changes = isNew
      ? [...this.documents].map(([key, document]) => ({ key, document }))
      : project(before, after, commit.events, this.documents, handoverToken);
    const contents = new Map(isNew ? [] : this.past.at(-1)?.contents);
    for (const { key, document } of changes) {
      this.documents.set(key, document);
      if (document.type === 'tombstone') contents.delete(key);
      else contents.set(key, contentOf(document));
    }
    this.past.push({ lineage, revision, contents });
    for (const port of after.ports.values()) {
      if (port.connectee === null) continue;
      const group = after.groups.get(port.group);
      const sw = after.switches.get(port.switch);
      if (group === undefined || sw === undefined) continue;
      const { policy } = effectivePolicy(
        sw.uplinks,
        sw.policy,
        group.policy,
        group.overridable,
        port.override,
      );
      const segment = policy.vlan.mode === 'access' ? String(policy.vlan.id) : policy.vlan.mode;
      const list = this.held.get(port.connectee.ifaceId) ?? [];
      const last = list.at(-1);
      if (last?.lineage === lineage && last.blocked === policy.blocked && last.segment === segment) continue;
      list.push({ lineage, revision, blocked: policy.blocked, segment });
      this.held.set(port.connectee.ifaceId, list);
    }
  }

  /** What may hold for an interface on a host that realised everything up to `since`. */
  policies(ifaceId: string, lineage: Lineage | null, since: number): readonly Held[] {
    const list = this.held.get(ifaceId) ?? [];
    // Nothing of this lineage is realised: what was before still is.
    if (lineage === null || lineage !== this.lineage || since === 0 || this.returned !== null)
      return [...(this.lostPolicies.get(ifaceId) ?? []), ...list];
    let from = 0;
    list.forEach((h, i) => {
      if (h.lineage === lineage && h.revision <= since) from = i;
      if (h.lineage !== lineage) from = i + 1;
    });
    return list.slice(Math.min(from, list.length - 1));
  }

  /** What a host holds under each key was so at the revision that it claims, or later. */
  checkClaim(snapshot: Snapshot, revision: number, who: string): void {
    if (snapshot.lineage === null || snapshot.lineage !== this.lineage || this.returned !== null) return;
    const from = this.past.findIndex((p) => p.lineage === snapshot.lineage && p.revision >= revision);
    if (from < 0) {
      if (revision > this.revision) this.broken(`${who} claims ${revision}, which never was`);
      return;
    }
    const own = `h.${snapshot.host}.host`;
    const needed = keysOfHost(snapshot.host, snapshot.documents);
    const keys = new Set([own, ...needed, ...snapshot.documents.keys()]);
    for (const key of keys) {
      const document = snapshot.documents.get(key);
      const content = document === undefined ? undefined : contentOf(document);
      if (!this.past.slice(from).some((p) => p.contents.get(key) === content))
        this.broken(`${who} claims ${revision}, but its ${key} was never so since`);
    }
  }

  /**
   * A host that realised no more than this still has the port, for all that it knows. One that carried out nothing of
   * this lineage is as the one before left it.
   */
  stillHas(port: Port['id'], host: string, lineage: Lineage | null, realised: number): boolean {
    if (lineage !== this.lineage || this.returned !== null || realised === 0) return true;
    const left = this.left.get(`${port} ${host}`);
    return left !== undefined && realised < left;
  }

  digest(): string {
    return stateDigest(this.state, stateCodec, clusterRules.hash);
  }

  /** Acknowledged: what the operator asked for stands in the log where it was said to. */
  checkDone(correlationId: string, revision: number, events: number): void {
    const at = this.asked.get(correlationId);
    if (events > 0 && at !== revision)
      this.broken(`${correlationId} was acknowledged at ${revision}, and stands at ${at}`);
  }

  /** The log from nothing gives the same; ledgers recomputed from events alone are the state's. */
  finish(): void {
    const messages = this.stored.map((m) => ({
      seq: m.seq,
      topic: m.subject.slice(4) as 'commit',
      bytes: m.bytes,
    }));
    const replayed = new Replica<State, DomainEvent>(clusterRules);
    for (const m of messages) replayed.apply(m);
    if (stateDigest(replayed.state, stateCodec, clusterRules.hash) !== this.digest())
      this.broken('replay gives another state');
    for (const d of verifyLedger(this.events, this.state))
      this.broken(`ledger of ${d.port}: ${d.what} is ${d.log} by the log and ${d.state} by the state`);
  }
}

function short(event: DomainEvent): string {
  const e = event as unknown as Record<string, unknown>;
  const parts = [
    'port',
    'host',
    'epoch',
    'migration',
    'to',
    'seq',
    'outcome',
    'name',
    'code',
    'reason',
    'fact',
    'incarnation',
  ]
    .map((k) => e[k])
    .filter((v) => v !== undefined && typeof v !== 'object');
  return `${event.type}(${parts.join(' ')})`;
}
