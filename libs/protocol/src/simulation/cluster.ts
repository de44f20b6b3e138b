import { Random, unwrap, type HostName, type Lineage, type Revision } from '#kernel';
import {
  isStateDocument,
  parseDocument,
  type DocumentKey,
  type Signer,
  type StateDocument,
  type Verifier,
} from '#contracts';
import { contentOf } from '../projection/documents.js';
import { keysOfHost } from '../projection/project-all.js';
import { project, withChanges } from '../projection/project.js';
import { Projector } from '../projector/projector.js';
import { DocumentSync } from '../sync/document-sync.js';
import { type Snapshot } from '../sync/snapshot.js';
import { SimSource, SimStore, SimStream, type Weather } from './sim-stream.js';
import { handoverToken } from './token.js';
import { VirtualClock } from './virtual-clock.js';
import { HOSTS, World } from './world.js';

const signer: Signer = { kid: 'k', sign: (body) => `s${body.length}` };
const verifier: Verifier = { verify: (body, sig) => sig === `s${body.length}` };

interface Agent {
  readonly source: SimSource;
  readonly sync: DocumentSync;
  last: Snapshot | null;
}

/** What every key said after one commit. */
interface Past {
  readonly lineage: Lineage;
  readonly revision: Revision;
  readonly contents: ReadonlyMap<DocumentKey, string>;
}

/** A leader, its successors, a stream and agents, in one story told by a seed; every claim of an agent is checked. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly stream = new SimStream();
  readonly weather: Weather;
  readonly agents = new Map<HostName, Agent>();
  readonly random: Random;
  claims = 0;
  readonly errors: unknown[] = [];
  private readonly world: World;
  private readonly past: Past[] = [];
  private documents = new Map<DocumentKey, StateDocument>();
  private leader: { projector: Projector; store: SimStore } | null = null;
  private lives = 0;

  constructor(seed: number, weather: Partial<Weather> = {}) {
    this.random = new Random(seed);
    this.world = new World(this.random);
    this.weather = { drop: 0.15, duplicate: 0.1, failure: 0.05, delay: 30, ...weather };
    this.commit();
  }

  commit(): void {
    const { before, after, events } = this.world.commit();
    const changes = project(before, after, events, this.documents, handoverToken);
    this.documents = withChanges(this.documents, changes);
    const contents = new Map(this.past.at(-1)?.contents);
    for (const { key, document } of changes) {
      if (document.type === 'tombstone') contents.delete(key);
      else contents.set(key, contentOf(document));
    }
    const lineage = after.lineage as Lineage;
    this.past.push({ lineage, revision: after.revision, contents });
    this.leader?.projector.commit(lineage, after.revision, changes);
  }

  /** A leader without memory of what it wrote: it has the state, the stream tells the rest. */
  lead(): void {
    const now = this.past.at(-1);
    if (now === undefined) return;
    const life = `life-${(this.lives += 1)}`;
    const store = new SimStore(this.stream, this.clock, this.random, this.weather, life);
    const live = new Map([...this.documents].filter(([, d]) => d.type !== 'tombstone'));
    // Whoever is told apart, nothing false may come of it.
    const carrying = (key: DocumentKey): HostName[] => HOSTS.slice(0, key.length % HOSTS.length);
    const notesAtMost = (): number => 2;
    const options = { store, signer, verifier, clock: this.clock, life, carrying, notesAtMost };
    const stillLeads = async () => (await store.way(), this.leader?.store === store);
    const projector: Projector = new Projector(
      // Nobody but its successor may push the present leader aside.
      { ...options, stillLeads, onEnd: () => void (this.leader?.projector === projector && this.lead()) },
      live,
      now.lineage,
      now.revision,
    );
    this.leader = { projector, store };
    projector.run().catch((error: unknown) => this.errors.push(error));
  }

  killLeader(afterWrites: number): void {
    if (this.leader === null) return;
    this.leader.store.deadAfter = afterWrites;
    if (afterWrites === 0) this.leader.store.dead = true;
  }

  /** The old one sleeps with its writes under way, and wakes when another leads. */
  freezeLeader(ms: number): void {
    this.leader?.store.freeze(ms);
  }

  newLineage(): void {
    this.world.newLineage();
    this.commit();
  }

  join(host: HostName, held?: Snapshot): void {
    const source = new SimSource(host, this.stream, this.clock, this.random, this.weather);
    const sync = new DocumentSync({
      host,
      source,
      clock: this.clock,
      verifier,
      ...(held === undefined ? {} : { held }),
      onSnapshot: (snapshot) => {
        agent.last = snapshot;
        this.check(snapshot);
      },
    });
    const agent: Agent = { source, sync, last: held ?? null };
    this.agents.set(host, agent);
    sync.run().catch((error: unknown) => this.errors.push(error));
  }

  leave(host: HostName): Snapshot | null {
    const agent = this.agents.get(host);
    agent?.sync.stop();
    this.agents.delete(host);
    return agent?.last ?? null;
  }

  async sweep(): Promise<void> {
    const lineage = this.past.at(-1)?.lineage;
    void this.leader?.projector.sweep((host) => {
      const last = this.agents.get(host)?.last ?? null;
      return last === null || last.lineage !== lineage ? null : last.received;
    });
    await this.clock.advance(50);
  }

  wipe(): void {
    this.stream.wipe();
    for (const { source } of this.agents.values()) source.reconnect();
    this.killLeader(0);
    this.lead();
  }

  /** No report is ever false: what is held under each key was so at the revision claimed, or later. */
  private check(snapshot: Snapshot): void {
    if (snapshot.lineage === null) return;
    this.claims += 1;
    const from = this.past.findIndex(
      (p) => p.lineage === snapshot.lineage && p.revision === snapshot.received,
    );
    if (from < 0) throw new Error(`${snapshot.host} claims ${snapshot.received}, which never was`);
    for (const key of new Set([
      `h.${snapshot.host}.host`,
      ...keysOfHost(snapshot.host, snapshot.documents),
      ...snapshot.documents.keys(),
    ])) {
      const held = snapshot.documents.get(key);
      const content = held === undefined ? undefined : contentOf(held);
      const so = this.past.slice(from).some((p) => p.contents.get(key) === content);
      if (!so) throw new Error(`${snapshot.host} claims ${snapshot.received}, but ${key} was never so since`);
    }
    for (const { key, problem } of snapshot.faults) throw new Error(`${key}: ${problem.message}`);
  }

  /** Why an agent does not hold exactly the present; null: it does. */
  behind(host: HostName): string | null {
    const now = this.past.at(-1);
    const last = this.agents.get(host)?.last;
    if (now === undefined || last === null || last === undefined) return `${host} holds nothing`;
    if (last.received !== now.revision || last.lineage !== now.lineage || last.stale)
      return `${host} is at ${last.received}${last.stale ? ', stale' : ''}; the present is ${now.revision}`;
    const wanted = new Set(keysOfHost(host, this.documents));
    for (const key of wanted) {
      const held = last.documents.get(key);
      const content = held === undefined ? undefined : contentOf(held);
      if (content !== now.contents.get(key)) return `${host} holds another ${key}`;
    }
    const extra = [...last.documents.keys()].find((key) => key.startsWith('h.') && !wanted.has(key));
    return extra === undefined ? null : `${host} holds ${extra} still`;
  }

  /** What stands in the stream and should not, or the other way round; tombstones apart. */
  difference(): string[] {
    const now = this.past.at(-1)?.contents ?? new Map<string, string>();
    const standing = new Map<string, string>();
    for (const [key, { bytes }] of this.stream.messages) {
      if (key === 's.mark') continue;
      const { body } = JSON.parse(new TextDecoder().decode(bytes)) as { body: string };
      const document = unwrap(parseDocument(body));
      if (document.type !== 'tombstone' && isStateDocument(document)) standing.set(key, contentOf(document));
    }
    const keys = new Set([...now.keys(), ...standing.keys()]);
    return [...keys].filter((key) => now.get(key) !== standing.get(key));
  }

  tombstones(): number {
    const text = new TextDecoder();
    return [...this.stream.messages.values()].filter((m) => text.decode(m.bytes).includes('tombstone'))
      .length;
  }

  stop(): void {
    this.leader?.projector.stop();
    for (const host of HOSTS) this.leave(host);
  }
}
