import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap, type Epoch, type HostName, type PortId } from '#kernel';
import { decide } from '../decider/decide.js';
import { type Command, type CounterCheckpoint, type Fact } from '../model/commands.js';
import { handedIn, plug, raw, threeHosts, type World } from '../testing.js';
import { packetsOf } from './counters.js';
import { forgotSegments } from './give-up.js';
import { inexactSegments, ledgerTotals, SEGMENTS_KEPT } from './ledger.js';
import { verifyLedger } from './verify.js';

const p1 = 'p1' as PortId;
const seg = (
  type: 'SegmentOpened' | 'SegmentClosed',
  incarnation: string,
  n: number,
  more: object = {},
): Fact => ({
  type,
  port: p1,
  epoch: 1 as Epoch,
  incarnation,
  raw: raw(n),
  ...more,
});
const plugged = (): World => {
  const w = threeHosts();
  w.facts('h1', plug('if-1'));
  return w;
};
const ledger = (w: World) =>
  w.state.ports.get(p1)?.ledger ?? { segments: [], folded: null, foldedCount: 0, foldedInexact: 0 };
const total = (w: World, current?: number): number =>
  packetsOf(ledgerTotals(ledger(w), () => (current === undefined ? undefined : raw(current))).in);

describe('the ledger', () => {
  it('adds what closed segments counted and what the open one has counted so far', () => {
    const w = plugged();
    w.facts('h1', seg('SegmentOpened', 'a', 5), seg('SegmentClosed', 'a', 15), seg('SegmentOpened', 'b', 0));
    expect(total(w)).toBe(10);
    expect(total(w, 7)).toBe(17);
  });

  it('takes repeats as no news and refuses what does not fit', () => {
    const w = plugged();
    w.facts('h1', seg('SegmentOpened', 'a', 5));
    const events = w.facts(
      'h1',
      seg('SegmentOpened', 'a', 5),
      seg('SegmentOpened', 'b', 0),
      seg('SegmentClosed', 'a', 4),
      seg('SegmentClosed', 'c', 9),
      seg('SegmentClosed', 'a', 8),
      seg('SegmentClosed', 'a', 8),
      seg('SegmentOpened', 'd', 0, { raw: { in: {}, out: {} } }),
    );
    expect(events.map((e) => ('code' in e ? e.code : e.type))).toEqual([
      'segment-open',
      'counter-fell',
      'no-segment',
      'SegmentClosed',
      'malformed',
      'FactsAccepted',
    ]);
  });

  it('closes what a host has forgotten at its checkpoint, or where it began, and opens the next', () => {
    const w = plugged();
    w.facts('h1', seg('SegmentOpened', 'a', 5));
    const numbered = { seq: 9, at: 0, fact: seg('SegmentOpened', 'b', 0) };
    const ingest = (checkpoints: readonly CounterCheckpoint[]): Command => ({
      type: 'IngestFacts',
      host: 'h1' as HostName,
      boot: 'boot-1',
      facts: [numbered],
      checkpoints,
    });
    const a = { port: p1, epoch: 1 as Epoch, incarnation: 'a', raw: raw(8), at: 77 };
    const closing = (checkpoints: readonly CounterCheckpoint[]) =>
      unwrap(decide(w.state, ingest(checkpoints), w.ctx))[0];
    expect(forgotSegments(w.state, 'h1' as HostName, [numbered])).toBe(true);
    for (const none of [[], [{ ...a, incarnation: 'x' }], [{ ...a, raw: raw(4) }]])
      expect(closing(none)).toMatchObject({
        raw: raw(5),
        inexact: { reason: expect.stringContaining('no checkpoint') },
      });
    expect(w.do(ingest([a]))).toMatchObject([
      { type: 'SegmentClosed', incarnation: 'a', raw: raw(8), inexact: { checkpointAt: 77 } },
      { type: 'SegmentOpened', incarnation: 'b' },
      { type: 'FactsAccepted' },
    ]);
    expect([total(w, 4), inexactSegments(ledger(w))]).toEqual([7, 1]);
    expect(forgotSegments(w.state, 'h1' as HostName, [numbered])).toBe(false);
  });

  describe('under a later epoch of the same host, whose document hides the earlier one', () => {
    const back = (): World => {
      const w = plugged();
      w.facts('h1', seg('SegmentOpened', 'a', 5));
      w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }, plug('if-1'));
      return w;
    };
    const opened = (more: object): Fact => seg('SegmentOpened', 'b', 0, { epoch: 2, ...more });
    const a = { port: p1, epoch: 1 as Epoch, incarnation: 'a', raw: raw(8), at: 77 };
    const forgot = (w: World, fact: Fact): boolean =>
      forgotSegments(w.state, 'h1' as HostName, [{ seq: 99, at: 0, fact }]);
    let seq = 50;
    /** As the leader has it taken in: with checkpoints where something was forgotten. */
    const tell = (w: World, fact: Fact): readonly { readonly type: string }[] =>
      w.do({
        type: 'IngestFacts',
        host: 'h1' as HostName,
        boot: 'boot-1',
        facts: [{ seq: (seq += 1), at: 0, fact }],
        ...(forgot(w, fact) ? { checkpoints: [a] } : {}),
      });
    const retiring = (w: World) => w.state.ports.get(p1)?.retiring.map((b) => b.epoch);

    it('closes what the host does not owe any more: the log came back from before it was closed', () => {
      const w = back();
      expect(tell(w, opened({ owes: [] }))).toMatchObject([
        { type: 'SegmentOpened', epoch: 2 },
        { type: 'SegmentClosed', epoch: 1, incarnation: 'a', raw: raw(8), inexact: { checkpointAt: 77 } },
        { type: 'BindingRetired', epoch: 1 },
        { type: 'FactsAccepted' },
      ]);
      expect([retiring(w), inexactSegments(ledger(w))]).toEqual([[], 1]);
    });

    it('does so when the opening is told again, too', () => {
      const w = back();
      tell(w, opened({}));
      expect(retiring(w)).toEqual([1]);
      tell(w, opened({ owes: [] }));
      expect([retiring(w), inexactSegments(ledger(w))]).toEqual([[], 1]);
    });

    it('waits for what the host says it owes, and for one that does not say', () => {
      for (const more of [{ owes: [1] }, {}]) {
        const w = back();
        expect(forgot(w, opened(more))).toBe(false);
        tell(w, opened(more));
        expect(retiring(w)).toEqual([1]);
        tell(w, seg('SegmentClosed', 'a', 15));
        expect([retiring(w), total(w, 0), inexactSegments(ledger(w))]).toEqual([[], 10, 0]);
      }
    });
  });

  it('counts no packet twice when the same meters go on at a later epoch', () => {
    const w = plugged();
    w.facts(
      'h1',
      seg('SegmentOpened', 'a', 0),
      { type: 'InterfaceUnplugged', ifaceId: 'if-1' },
      plug('if-1'),
    );
    const again = (n: number) => seg('SegmentOpened', 'a', n, { epoch: 2 });
    expect(w.facts('h1', again(7))).toMatchObject([{ code: 'segment-open' }, {}]);
    w.facts('h1', seg('SegmentClosed', 'a', 10));
    expect(w.facts('h1', again(7))).toMatchObject([{ code: 'counter-fell' }, {}]);
    expect(w.facts('h1', again(10))).toMatchObject([{ type: 'SegmentOpened' }, {}]);
    expect(total(w, 12)).toBe(12);
  });

  it('retires a binding by a final value that was told before it was asked for: the log came back older', () => {
    const world = threeHosts();
    world.facts('h1', plug('if-1'));
    world.facts('h1', ...handedIn('p1', 1));
    world.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' });
    expect(world.state.ports.get('p1' as never)?.retiring).toHaveLength(1);
    world.facts('h1', ...handedIn('p1', 1));
    expect(world.state.ports.get('p1' as never)?.retiring).toEqual([]);
  });

  it('folds long lists without losing a packet or an inexactness, and the verifier agrees', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.boolean()), { minLength: 70, maxLength: 90 }),
        (parts) => {
          const w = plugged();
          let sum = 0;
          let inexact = 0;
          parts.forEach(([n, bad], i) => {
            const more = bad ? { inexact: { checkpointAt: 1, reason: 'power' } } : {};
            w.facts('h1', seg('SegmentOpened', `i${i}`, 3), seg('SegmentClosed', `i${i}`, 3 + n, more));
            sum += n;
            if (bad) inexact++;
          });
          expect(ledger(w).segments).toHaveLength(SEGMENTS_KEPT);
          expect(total(w)).toBe(sum);
          expect(inexactSegments(ledger(w))).toBe(inexact);
          expect(verifyLedger(w.log, w.state)).toEqual([]);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('is found out by the verifier when the state is not what the log says', () => {
    const w = plugged();
    w.facts('h1', seg('SegmentOpened', 'a', 0), seg('SegmentClosed', 'a', 10));
    const log = w.log.map((e) => (e.type === 'SegmentClosed' ? { ...e, raw: raw(11) } : e));
    expect(verifyLedger(log, w.state)).toEqual([
      { port: 'p1', what: 'in.unicast.packets', log: 11, state: 10 },
      { port: 'p1', what: 'in.unicast.bytes', log: 1100, state: 1000 },
    ]);
  });
});
