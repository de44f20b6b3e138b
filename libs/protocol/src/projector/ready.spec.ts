import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Random, type Lineage } from '#kernel';
import { type State } from '#domain';
import { contentOf } from '../projection/documents.js';
import { projectAll } from '../projection/project-all.js';
import { Holdings } from '../realised/holdings.js';
import { handoverToken } from '../simulation/token.js';
import { VirtualClock } from '../simulation/virtual-clock.js';
import { HOSTS, World } from '../simulation/world.js';
import { Desired } from './desired.js';
import { nothingPublished } from './published.js';
import { ReadyDocuments, type Prepared } from './ready.js';
import { type Published } from './store.js';

const noPause = (): Promise<void> => Promise.resolve();

/** A standby, the log that it follows, and the store as a leader writes it, which it follows as well. */
class Standby {
  readonly clock = new VirtualClock();
  published: Published = nothingPublished();
  readonly ready: ReadyDocuments;
  private readonly world: World;
  private head: State | null = null;
  private seq = 0;

  constructor(private readonly random: Random) {
    this.world = new World(random);
    this.ready = new ReadyDocuments({
      clock: this.clock,
      handoverToken,
      head: () =>
        this.head && {
          lineage: this.lineage,
          revision: this.state.revision,
          hash: hashOf(this.state),
          state: this.state,
        },
      standing: () => this.published,
    });
  }

  get state(): State {
    if (this.head === null) throw new Error('nothing was committed');
    return this.head;
  }

  get lineage(): Lineage {
    return this.state.lineage as Lineage;
  }

  commit(): void {
    const { before, after, events } = this.world.commit();
    this.head = after;
    this.ready.follow({ lineage: this.lineage, revision: after.revision, events }, before, after);
  }

  /** Its own term ends with a commit that it has not read back yet; what it wrote, it knows. */
  async led(): Promise<void> {
    await this.ready.take();
    const { before, after, events } = this.world.commit();
    const { published } = this;
    const documents = projectAll(after, handoverToken);
    const desired = new Desired(documents, after.lineage as Lineage, after.revision);
    await desired.reconcile(published, noPause);
    published.unsure.clear();
    const from = {
      lineage: after.lineage as Lineage,
      documents,
      holdings: await Holdings.of(documents, noPause),
      compared: { with: published.documents, changed: desired.unsure },
    };
    this.ready.goOn(from, hashOf(this.random.chance(0.8) ? after : this.state));
    this.head = after;
    this.ready.follow({ lineage: this.lineage, revision: after.revision, events }, before, after);
  }

  newLineage(): void {
    this.world.newLineage();
    this.commit();
  }

  /** The leader writes some of what is wanted, and takes out some of what is not. */
  write(): void {
    const { documents, unsure } = this.published;
    const wanted = projectAll(this.state, handoverToken);
    for (const key of new Set([...documents.keys(), ...wanted.keys()])) {
      if (this.random.chance(0.3)) continue;
      const document = wanted.get(key);
      this.seq += 1;
      const gone = { type: 'tombstone', key, lineage: this.lineage, revision: this.state.revision } as never;
      documents.set(key, { document: document ?? gone, seq: this.seq });
      unsure.add(key);
    }
    this.published.mark = { document: {} as never, seq: (this.seq += 1) };
  }

  /** What a leader would write first, by what was made ready, or by looking at everything. */
  async firstWrites({ documents, compared, lineage }: Prepared, all: boolean): Promise<string[]> {
    const desired = new Desired(documents, lineage, this.state.revision);
    const isOfThis = compared?.with === this.published.documents;
    const unsure = [...this.published.unsure, ...(compared?.changed ?? [])];
    await desired.reconcile(this.published, noPause, all || !isOfThis ? undefined : unsure);
    return desired
      .drain()
      .map((document) => `${document.key} ${contentOf(document)}`)
      .sort();
  }
}

const hashOf = ({ revision }: State): string => `hash of ${revision}`;

const heldBy = (holdings: Holdings): unknown =>
  HOSTS.map((host) => [
    host,
    holdings.hosts.get(host as never)?.ports,
    holdings.since(host as never, null) !== undefined,
  ]);

describe('what a standby keeps ready', () => {
  it('is what a leader would make of the whole state, wherever it is taken', async () => {
    let [taken, compared, unready] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = new Random(seed);
        const standby = new Standby(random);
        standby.commit();
        standby.ready.begin();
        for (let i = 0; i < 30; i += 1) {
          standby.commit();
          if (random.chance(0.5)) standby.write();
          if (random.chance(0.05)) standby.newLineage();
          if (random.chance(0.05)) standby.published = nothingPublished();
          if (random.chance(0.1)) await standby.led();
          await standby.clock.advance(random.below(2_000));
        }
        const taking = standby.ready.take();
        await standby.clock.advance(100);
        const prepared = await taking;
        if (prepared === null) return void (unready += 1);
        taken += 1;
        if (prepared.compared !== null) compared += 1;
        expect(prepared.state).toBe(standby.state);
        const whole = projectAll({ ...standby.state }, handoverToken);
        expect([...prepared.documents.values()].map(contentOf).sort()).toEqual(
          [...whole.values()].map(contentOf).sort(),
        );
        expect(heldBy(prepared.holdings)).toEqual(heldBy(await Holdings.of(whole, noPause)));
        expect(await standby.firstWrites(prepared, false)).toEqual(await standby.firstWrites(prepared, true));
      }),
      { numRuns: 80 },
    );
    // Not by never having anything.
    expect(taken).toBeGreaterThan(unready);
    expect(compared).toBeGreaterThan(taken / 2);
  });

  it('is not made before what a leader wrote was read, up to its mark', async () => {
    const standby = new Standby(new Random(1));
    standby.commit();
    standby.ready.begin();
    await standby.clock.advance(60_000);
    expect(await standby.ready.take()).toBeNull();
  });

  it('is nothing until it was made once, and nothing once it was given away', async () => {
    const standby = new Standby(new Random(1));
    standby.commit();
    standby.write();
    standby.ready.begin();
    expect(await standby.ready.take()).toBeNull();
    standby.ready.begin();
    await standby.clock.advance(10_000);
    expect(await standby.ready.take()).not.toBeNull();
    standby.commit();
    expect(await standby.ready.take()).toBeNull();
  });
});
