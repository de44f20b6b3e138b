import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataplaneState } from '#openflow';
import { caseOf, isInOrder, type Case } from './cases/case.js';
import { shrunk } from './cases/shrink.js';
import { CABLINGS, Rig } from './rig/rig.js';
import { FAULTS, hitsOf, wrongBy, wrongStates, type Fault, type Hit } from './rig/faults.js';
import { judge, type Disagreement, type JudgeOptions } from './rig/judge.js';

const CASES = Number(process.env['PORTOLAN_WITNESS_CASES'] ?? 100);
/** The first case's; the others follow it. */
const SEED = Number(process.env['PORTOLAN_WITNESS_SEED'] ?? 1);
/** Cases whose flows are looked at for faults to be planted. */
const FOR_FAULTS = 100;
/** Of them, how many get a fault before it counts as overlooked: in some it makes no difference to their frames. */
const FAULT_TRIES = 50;
const MOST_REPORTS = 3;
const SHRINK_TRIES = 150;
/** Of a few that are played again nothing is asked but that they agree. */
const HAS_MANY = CASES >= 100;
const LIMIT_MS = 60_000 + CASES * 5_000;

describe('the witness', () => {
  let rig: Rig;
  /** Of the first cases, by host, the flows that their frames went by. */
  const walked = new Map<number, Map<string, Set<Hit>>>();
  let delivered = 0;

  const noting = (seed: number): JudgeOptions => ({
    onTrace: (host, text, expected) => {
      delivered += expected.length;
      if (seed - SEED >= FOR_FAULTS) return;
      const hosts = walked.get(seed) ?? new Map<string, Set<Hit>>();
      walked.set(seed, hosts.set(host, new Set([...(hosts.get(host) ?? []), ...hitsOf(text)])));
    },
  });

  beforeAll(async () => {
    rig = await Rig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it(
    `agrees with Open vSwitch in ${CASES} cases from seed ${SEED} on`,
    async () => {
      const reports: string[] = [];
      for (let seed = SEED; seed < SEED + CASES && reports.length < MOST_REPORTS; seed += 1) {
        const found = await judge(rig, caseOf(seed, CABLINGS), noting(seed));
        if (found !== undefined) reports.push(await report(seed, found));
      }
      if (reports.length > 0) throw new Error(reports.join('\n\n'));
      // Worlds in which nothing passes would prove nothing.
      if (HAS_MANY) expect(delivered).toBeGreaterThan(CASES * 5);
    },
    LIMIT_MS,
  );

  (HAS_MANY ? it : it.skip).each(FAULTS.map((fault) => [fault.name, fault] as const))(
    'notices that %s',
    async (_, fault) => {
      expect(await isNoticed(fault)).toBe(true);
    },
  );

  async function isNoticed(fault: Fault): Promise<boolean> {
    let tries = 0;
    for (const [seed, hosts] of walked) {
      const c = caseOf(seed, CABLINGS);
      if (fault.kind !== undefined && fault.kind !== c.kind) continue;
      const found = await (fault.kind === undefined
        ? judgedWith(fault, c, hosts, seed)
        : judge(rig, c, { wrong: wrongBy(fault) }));
      if (found === null) continue;
      if (found !== undefined) return true;
      tries += 1;
      if (tries >= FAULT_TRIES) return false;
    }
    return false;
  }

  /** One thing of the case's beginning is wrong; null: there is nothing of the kind. */
  async function judgedWith(
    fault: Fault,
    c: Case,
    hosts: ReadonlyMap<string, ReadonlySet<Hit>>,
    seed: number,
  ): Promise<Disagreement | undefined | null> {
    const states = await wrongStates(rig, c.world, fault, hosts, seed);
    if (states.size === 0) return null;
    // Without what the world becomes later: that would be without the fault.
    const first = { ...c, events: [] };
    const wrong = { state: (state: DataplaneState, host: string) => states.get(host) ?? state };
    // One frame after the other takes too long, and makes no difference to what is looked for by packets.
    if (fault.inAll === true && isInOrder(c))
      return (await judge(rig, first, { packets: false, wrong })) ?? null;
    return judge(rig, first, { packets: fault.inAll === true, wrong });
  }

  /** What a person needs: the least case that still shows it, and how to get it again. */
  async function report(seed: number, first: Disagreement): Promise<string> {
    const again = async (c: Case): Promise<boolean> => {
      const found = await judge(rig, c);
      return found !== undefined && (found.by === 'compile') === (first.by === 'compile');
    };
    const least = await shrunk(caseOf(seed, CABLINGS), again, SHRINK_TRIES);
    const { by, at, expected, actual, detail } = (await judge(rig, least)) ?? first;
    return [
      `seed ${seed}: the model and the switch part, by ${by}, at ${at}`,
      `again: PORTOLAN_WITNESS_SEED=${seed} PORTOLAN_WITNESS_CASES=1 npm run witness`,
      `the model says:\n  ${expected.join('\n  ')}`,
      `the switch says:\n  ${actual.join('\n  ')}`,
      `world: ${JSON.stringify(least.world)}`,
      `rounds: ${JSON.stringify(least.rounds)}`,
      `events: ${JSON.stringify(least.events)}`,
      detail ?? '',
    ].join('\n');
  }
});
