import { describe, expect, it } from '@jest/globals';
import { unwrap, type Epoch, type PortId } from '#kernel';
import { fromStored, toStored } from '../events/versions.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { evolve } from '../decider/evolve.js';
import { plug, raw, threeHosts, type World } from '../testing.js';
import { ledgerTotals } from './ledger.js';
import { verifyLedger } from './verify.js';

const p1 = 'p1' as PortId;
const reset = (n: number, reason = 'new tenant') =>
  ({ type: 'ResetCounters', port: p1, at: raw(n), reason }) as const;
const counted = (w: World, n: number) => {
  const segment = { port: p1, epoch: 1 as Epoch, incarnation: 'a' };
  w.facts('h1', { type: 'SegmentOpened', ...segment, raw: raw(0) });
  w.facts('h1', { type: 'SegmentClosed', ...segment, raw: raw(n) });
};
const opened = (w: World): void => {
  const segment = { port: p1, epoch: 1 as Epoch, incarnation: 'b', raw: raw(0) };
  w.facts('h1', { type: 'SegmentOpened', ...segment });
};
const world = (): World => {
  const w = threeHosts();
  w.facts('h1', plug('if-1'));
  counted(w, 10);
  return w;
};

describe('a reset of counters', () => {
  it('is an offset with who, when and why: the ledger and its proof are what they were', () => {
    const w = world();
    const before = w.state.ports.get(p1);
    expect(w.do(reset(10))).toEqual([
      { type: 'CountersReset', port: p1, at: raw(10), by: 'tester', reason: 'new tenant' },
    ]);
    const port = w.state.ports.get(p1);
    expect(port?.reset).toEqual({
      at: raw(10),
      by: 'tester',
      reason: 'new tenant',
      time: w.now,
      revision: w.state.revision,
    });
    expect(port?.ledger).toBe(before?.ledger);
    expect(ledgerTotals(port!.ledger, () => undefined)).toEqual(raw(10));
    expect(verifyLedger(w.log, w.state)).toEqual([]);
  });

  it('stays through what happens to the port later, in snapshots and in the written log', () => {
    const w = world();
    opened(w);
    w.do(reset(17));
    w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    expect(w.state.ports.get(p1)?.reset?.at).toEqual(raw(17));
    const json = stateDigestInput(w.state);
    const read = unwrap(stateFromJson(JSON.parse(JSON.stringify(json))));
    expect(stateDigestInput(read)).toEqual(json);
    for (const event of w.log) expect(unwrap(fromStored(toStored(event)))).toEqual(event);
  });

  it('is refused where its offset is not what the port can have counted', () => {
    const w = world();
    expect(w.refused(reset(9))).toMatchObject({ code: 'conflict', details: [{ field: 'at' }] });
    expect(w.refused(reset(11))).toMatchObject({ code: 'conflict' });
    opened(w);
    w.do(reset(30));
    expect(w.refused(reset(20))).toMatchObject({ code: 'conflict' });
    expect(w.do(reset(30))).toHaveLength(1);
  });

  it('is refused without a reason, and of a port that nobody knows', () => {
    const w = world();
    expect(w.refused(reset(10, ''))).toMatchObject({ code: 'invalid', details: [{ field: 'reason' }] });
    expect(w.refused({ ...reset(10), port: 'p77' as PortId })).toMatchObject({ code: 'not-found' });
  });

  it('leaves the digest of a state without one as it was', () => {
    const w = world();
    const meta = { revision: w.state.revision, lineage: w.state.lineage!, time: w.now };
    const event = { type: 'CountersReset', port: p1, at: raw(10), by: 'x', reason: 'y' } as const;
    expect(JSON.stringify(stateDigestInput(w.state))).not.toContain('"reset"');
    expect(JSON.stringify(stateDigestInput(evolve(w.state, event, meta)))).toContain('"reset"');
  });
});
