import { expect } from '@jest/globals';
import { type PortDescription } from '#contracts/http';
import { type LabHostName, until } from '../spine.js';
import { type Move } from './move.js';
import { type Outcome } from './outcomes.js';
import { type ChaosWorld } from './world.js';

type Ledger = PortDescription['ledger'];
type Segment = Ledger['segments'][number];

const keyOf = ({ host, epoch, incarnation }: Segment): string => `${host}/${epoch}/${incarnation}`;
const packetsOf = ({ unicast, multicast, broadcast }: Ledger['total']['in']): number =>
  unicast.packets + multicast.packets + broadcast.packets;

/** What came out of the guest’s taps, and what of it the ledger has. Compared while the guest is still. */
export class Books {
  /** What the ledger lacks since it said that it does. */
  #lacking = 0;
  /** Segments that are known to be inexact. */
  readonly #known = new Set<string>();

  constructor(private readonly world: ChaosWorld) {}

  /**
   * What the guest sent is in the ledger, to the packet; or, where the outcome says so, there are segments that are
   * known not to be exact, and then it has never more than was sent.
   */
  async balance(move: Move, outcome: Outcome): Promise<void> {
    const { guest, inexact: ends = [] } = outcome;
    const allowed = ends.map((end) => move[end]);
    let sent = await this.world.sent();
    let since = new Date().toISOString();
    const { counted, doubts } = await until('the ledger to agree', async () => {
      const found = await this.#read();
      const now = await this.world.sent();
      if (now !== sent) {
        // The guest’s own kernel has something to say now and then; what came meanwhile may be in the ledger or not.
        sent = now;
        since = new Date().toISOString();
        throw new Error(`more was sent: ${sent}`);
      }
      const isDoubted = allowed.length > 0 && found.doubts.length > 0 && found.countedAt > since;
      const isSettled = isDoubted || (guest === 'lost' && !this.world.isDrained);
      if (found.counted === sent - this.#lacking || isSettled) return found;
      throw new Error(
        `${found.counted} are in the ledger; sent were ${sent}, ${this.#lacking} of them lost before`,
      );
    });
    expect(doubts.filter((s) => !allowed.includes(s.host as LabHostName))).toEqual([]);
    for (const { inexact } of doubts) expect(inexact?.reason).toEqual(expect.stringMatching(/\w/));
    expect(sent - counted).toBeGreaterThanOrEqual(this.#lacking);
    this.#lacking = sent - counted;
    for (const doubt of doubts) this.#known.add(keyOf(doubt));
  }

  async #read() {
    const { ledger } = await this.world.spine.describe(this.world.owner);
    const doubts = ledger.segments.filter((s) => s.inexact !== null && !this.#known.has(keyOf(s)));
    return { counted: packetsOf(ledger.total.in), doubts, countedAt: ledger.countedAt ?? '9' };
  }
}

/** The port is where the guest is, or nowhere; the hosts have carried out all there is. */
export async function auditPort({ spine, owner }: ChaosWorld, move: Move, { guest }: Outcome): Promise<void> {
  const host = guest === 'lost' ? null : guest === 'moved' ? move.destination : move.source;
  const settled = { active: host === null ? null : { host }, standby: null, retiring: [] };
  await until('the port to be settled', async () => {
    const { status } = (await spine.port(owner)) ?? {};
    expect(status).toMatchObject(settled);
    return true;
  });
  await spine.realised(move.source, move.destination);
}

/** What the policy forbids came to nobody, and nothing came twice. */
export async function auditArrived({ streams }: ChaosWorld): Promise<void> {
  const [there, here, ...forbidden] = await streams.arrived();
  expect(forbidden.map((s) => s?.count)).toEqual(forbidden.map(() => undefined));
  expect([there?.duplicates ?? 0, here?.duplicates ?? 0]).toEqual([0, 0]);
}
