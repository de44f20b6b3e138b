import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equalJson } from '#kernel';
import { type Step } from '#openflow';
import { desiredIn, PORTS, turn } from '../arbitrary/changes.fixture.js';
import { traffic, type Sent } from '../arbitrary/frames.fixture.js';
import { type Desired } from '../types.js';
import { WalkingHost } from './walk.fixture.js';

type Traffic = (round: number) => readonly Sent[];
type Meddle = (steps: Step[]) => Step[];

/** What was seen of a change: frames that passed though they should not, and how much there was to see. */
interface Seen {
  readonly leaks: string[];
  /** Frames that neither policy lets through, and that one treats otherwise than the other. */
  forbidden: number;
  changed: number;
  steps: number;
}

/** One that is plugged gets its number later, and until then its ports are with another: any of them will do. */
const UPLINKS = ['eth0', 'eth1', 'eth2'];

/**
 * Three hosts get the same frames all the while: one stays as it was, one is changed before they begin, and the third
 * is looked at after each step of the same change. While it goes on it may let through what one of them does; in the
 * end, what the second does.
 */
async function walked(
  [before, after]: readonly [Desired, Desired],
  frames: Traffic,
  staleUntilEffective: boolean,
  amiss: Meddle,
): Promise<Seen> {
  const subject = new WalkingHost(PORTS, { staleUntilEffective });
  const [old, now] = [new WalkingHost(PORTS), new WalkingHost(PORTS)];
  for (const host of [subject, old, now]) await host.walk(before);
  for (const { device, frame } of frames(0))
    for (const host of [subject, old, now]) host.leaves(device, frame);
  await now.walk(after);
  const moved = !equalJson(before.host.switches, after.host.switches);
  const name = (it: string): string => (moved ? it.replace(/^eth[0-9]/, 'eth') : it);
  const seen: Seen = { leaks: [], forbidden: 0, changed: 0, steps: 0 };
  const look = (isOver: boolean): void => {
    seen.steps += 1;
    for (const { device, frame } of frames(seen.steps)) {
      const ways = moved && device.startsWith('eth') ? UPLINKS : [device];
      const through = (host: WalkingHost): string[] =>
        ways.flatMap((way) => host.leaves(way, frame).map(name));
      const passed = subject.leaves(device, frame).map(name);
      const [then, soon] = [through(old), through(now)];
      const allowed = new Set(isOver ? soon : [...then, ...soon]);
      for (const it of passed)
        if (!allowed.has(it)) seen.leaks.push(`after change ${seen.steps}, by ${device}: ${it}`);
      if (!equalJson(then, soon)) seen.changed += 1;
      if (then.length + soon.length === 0) seen.forbidden += 1;
    }
  };
  await subject.walk(after, { each: () => look(false), amiss });
  look(true);
  expect(await subject.digest()).toBe(subject.wanted(after));
  if (subject.litter().length > 0) seen.leaks.push(`connections left in ${subject.litter().join()}`);
  return seen;
}

async function search(runs: number, amiss: Meddle = (steps) => steps) {
  const sums = { forbidden: 0, changed: 0, steps: 0 };
  const found = await fc.check(
    fc.asyncProperty(turn, traffic, fc.boolean(), async ([before, after], frames, stale) => {
      const seen = await walked([desiredIn(before), desiredIn(after)], frames, stale, amiss);
      for (const key of ['forbidden', 'changed', 'steps'] as const) sums[key] += seen[key];
      expect(seen.leaks).toEqual([]);
    }),
    { numRuns: runs, endOnFailure: process.env['PORTOLAN_SHRINK'] === undefined },
  );
  return { sums, found };
}

const isBundle = (step: Step): step is Extract<Step, { kind: 'bundle' }> => step.kind === 'bundle';

/** How a switch could be changed instead, each of which lets something through that nobody allows. */
const FAULTS: Readonly<Record<string, Meddle>> = {
  'takes flows away before it adds others': (steps) =>
    steps.flatMap((step) => (isBundle(step) ? torn(step, (op) => op === 'delete-flow') : [step])),
  'adds flows before it takes others away': (steps) =>
    steps.flatMap((step) => (isBundle(step) ? torn(step, (op) => !op.startsWith('delete')) : [step])),
  'does not wait until it is effective': (steps) => steps.filter(({ kind }) => kind !== 'effective'),
  'forgets no connections': (steps) => steps.filter(({ kind }) => kind !== 'flush'),
};

function torn(
  { mods, ...rest }: Extract<Step, { kind: 'bundle' }>,
  isFirst: (op: string) => boolean,
): Step[] {
  const [ahead, behind] = [mods.filter((m) => isFirst(m.op)), mods.filter((m) => !isFirst(m.op))];
  return [ahead, behind].filter((list) => list.length > 0).map((list) => ({ ...rest, mods: list }));
}

describe('a change, step by step', () => {
  it('lets nothing through that both the old and the new policy forbid, and ends with what the new allows', async () => {
    const { sums, found } = await search(60);
    if (found.failed) throw new Error(`${fc.defaultReportMessage(found)}\n${String(found.errorInstance)}`);
    expect(sums.steps).toBeGreaterThan(300);
    expect(sums.forbidden).toBeGreaterThan(5_000);
    expect(sums.changed).toBeGreaterThan(1_000);
  });

  it.each(Object.keys(FAULTS))('is seen to let something through if it %s', async (fault) => {
    const { found } = await search(200, FAULTS[fault]);
    expect(String(found.errorInstance)).toMatch(/after change|connections left/);
  });
});
