import { STREAMS } from '#contracts';
import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { Stream, WINDOW_MS, type StreamCopy } from './stream.js';

/** How badly the network behaves: probabilities, and delays in ms. */
export interface Weather {
  /** Requests or their answers that get lost, connection notwithstanding. */
  loss: number;
  /** Published and republished messages of core subjects. */
  drop: number;
  duplicate: number;
  /** Usual and, rarely, longest delay. */
  delay: number;
  spike: number;
}

/** A connection as the server has it. */
export interface Peer {
  /** A message of a core subject, as far as it gets. */
  hear(subject: string, message: unknown): void;
  /** The server went, or came back. */
  changed(): void;
  /** Nothing cuts it off any more. */
  heal(): void;
  /** In order, and not lost while the connection stands. */
  deliver(what: string, run: () => void): void;
  /** The other way. */
  send(what: string, run: () => void): void;
}

export type Reply = (answer: unknown) => void;
interface Responder {
  readonly link: Peer;
  readonly handle: (request: unknown, reply: Reply) => void;
}

/** One who stands for election. */
interface Candidate {
  readonly link: Peer;
  readonly role: string;
  /** Nobody listens any more where the holder did. */
  readonly gone: () => void;
  readonly taken: (holder: string, revision: number) => void;
}

/** What a server had on its disk: the log alone, or everything. */
export interface ServerCopy {
  readonly log: StreamCopy;
  readonly rest: {
    readonly docs: StreamCopy;
    readonly facts: StreamCopy;
    readonly checkpoints: StreamCopy;
    readonly leaseRevision: number;
    /** Up to where the reader of facts had acknowledged them. */
    readonly acknowledged: number;
  };
}

/** The message server: streams, a lease bucket, core subjects. Everyone's connection goes through it. */
export class Server {
  readonly log: Stream;
  readonly docs: Stream;
  readonly facts: Stream;
  readonly checkpoints: Stream;
  readonly leases = new Map<string, { holder: string; revision: number; until: number }>();
  private leaseRevision = 0;
  readonly links = new Set<Peer>();
  readonly candidates = new Set<Candidate>();
  /** Who listens as the holder of a lease. */
  private readonly holders = new Set<{ readonly role: string; readonly link: Peer }>();
  /** Who serves commands at the moment. */
  readonly responders = new Set<Responder>();
  up = true;
  /** Streams have no leader: what is asked of them is not answered, though the connection stands. */
  leaderless = false;
  windowMs = WINDOW_MS;
  /** Of a message. */
  maxBytes = 1024 * 1024;

  constructor(
    readonly scheduler: Scheduler,
    readonly random: Random,
    readonly weather: Weather,
  ) {
    const now = (): number => scheduler.now;
    const window = (): number => this.windowMs;
    this.log = new Stream(now, false, window);
    this.docs = new Stream(now, true, window);
    this.facts = new Stream(now, false, window);
    this.checkpoints = new Stream(now, true, window);
    this.docs.tap((m) =>
      this.spread('live', { key: m.subject.slice('doc.'.length), bytes: m.bytes, seq: m.seq }),
    );
  }

  stream(name: string): Stream {
    if (name === STREAMS.log) return this.log;
    if (name === STREAMS.documents) return this.docs;
    if (name === STREAMS.facts) return this.facts;
    return this.checkpoints;
  }

  /** A message of a core subject: to everyone who listens, as far as it gets. */
  spread(subject: string, message: unknown): void {
    for (const link of this.links) link.hear(subject, message);
  }

  /** Another server of theirs goes on with what all have. What was asked meanwhile is never answered. */
  changeLeader(ms: number): void {
    if (this.leaderless) return;
    this.leaderless = true;
    this.scheduler.in(ms, null, 'streams have a leader', () => (this.leaderless = false));
  }

  /** Where the holder of a lease can be asked for. */
  listen(role: string, link: Peer): void {
    for (const held of this.holders) if (held.link === link && held.role === role) return;
    this.holders.add({ role, link });
  }

  listens(role: string): boolean {
    return [...this.holders].some((held) => held.role === role);
  }

  unlisten(role: string, link: Peer): void {
    for (const held of this.holders) if (held.link === link && held.role === role) this.holders.delete(held);
  }

  /** A connection is gone, and what was listened to over it. Who lost its own at the same time has nobody to miss. */
  gone(link: Peer): void {
    for (const responder of [...this.responders])
      if (responder.link === link) this.responders.delete(responder);
    for (const held of [...this.holders]) {
      if (held.link !== link) continue;
      this.holders.delete(held);
      if (!this.up) continue;
      for (const it of this.candidates) if (it.role === held.role && it.link !== link) it.gone();
    }
  }

  copy(acknowledged: number): ServerCopy {
    const [docs, facts, checkpoints] = [this.docs.copy(), this.facts.copy(), this.checkpoints.copy()];
    const { leaseRevision } = this;
    return { log: this.log.copy(), rest: { docs, facts, checkpoints, leaseRevision, acknowledged } };
  }

  /** While it is down its store is put back to what it was: leases have run out since. */
  restore({ log, rest }: ServerCopy, logOnly: boolean): void {
    if (this.up) throw new Error('a server that runs is not restored');
    this.log.restore(log);
    if (logOnly) return;
    this.docs.restore(rest.docs);
    this.facts.restore(rest.facts);
    this.checkpoints.restore(rest.checkpoints);
    this.leases.clear();
    this.leaseRevision = rest.leaseRevision;
  }

  /** Kept streams, broken connections. */
  stop(): void {
    this.up = false;
    this.responders.clear();
    this.holders.clear();
    for (const link of this.links) link.changed();
  }

  start(): void {
    this.up = true;
    for (const link of this.links) link.changed();
  }

  lease(role: string): { holder: string; revision: number; until: number } | undefined {
    const lease = this.leases.get(role);
    if (lease === undefined || lease.until > this.scheduler.now) return lease;
    this.leases.delete(role);
    return undefined;
  }

  /** Creates (`expected` null) or refreshes a lease; the revision, or null when it is another's. */
  hold(role: string, holder: string, expected: number | null, ttlMs: number): number | null {
    const lease = this.lease(role);
    if ((lease?.revision ?? null) !== expected) return null;
    this.leaseRevision += 1;
    if (lease !== undefined && lease.holder !== holder)
      for (const it of this.candidates) if (it.role === role) it.taken(holder, this.leaseRevision);
    this.leases.set(role, { holder, revision: this.leaseRevision, until: this.scheduler.now + ttlMs });
    return this.leaseRevision;
  }
}
