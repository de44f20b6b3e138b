import { describe, expect, it } from '@jest/globals';
import { type PortId, type Revision } from '#kernel';
import { verifyLedger } from '../ledger/verify.js';
import { handedIn, plug, threeHosts } from '../testing.js';
import { checkInvariants } from '../state/invariants.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { evolve } from '../decider/evolve.js';
import { DELETED_KEPT } from './deleted.js';

const first = 'p1' as PortId;

/** An ephemeral port comes, is counted on, and goes. */
function used(w: ReturnType<typeof threeHosts>, id: PortId): void {
  const ifaceId = `if-${id}`;
  w.facts('h1', plug(ifaceId));
  w.facts('h1', { type: 'InterfaceUnplugged', ifaceId }, ...handedIn(id, 1));
}

describe('a deleted port', () => {
  it('keeps epoch and ledger until many others were deleted after it; the log has them for ever', () => {
    const w = threeHosts({ binding: 'ephemeral', ports: 0 });
    used(w, first);
    const before = w.state;
    expect(before.ports.get(first)).toMatchObject({ deleted: true, epoch: 1, ledger: { segments: [{}] } });
    // As many again as are kept, without deciding each of them.
    let state = before;
    const old = before.ports.get(first)!;
    for (let n = 2; n <= DELETED_KEPT + 1; n += 1) {
      const id = `p${n}` as PortId;
      state = { ...state, ports: state.ports.set(id, { ...old, id, deleted: false }) };
      state = evolve(state, { type: 'PortDeleted', port: id }, meta(before.revision + n));
    }
    expect(state.ports.has(first)).toBe(false);
    expect(state.ports.size).toBe(DELETED_KEPT);
    expect(state.deleted.first()).toBe('p2');
    expect(verifyLedger(w.log, { ...before, ports: before.ports.remove(first) })).toEqual([]);
    const unheard = w.log.filter((e) => e.type !== 'PortDeleted');
    expect(verifyLedger(unheard, { ...before, ports: before.ports.remove(first) })).toMatchObject([
      { what: 'port' },
    ]);
  });

  it('leaves nothing when it was never bound', () => {
    const w = threeHosts({ ports: 3 });
    w.do({ type: 'Delete', kind: 'PortGroup', name: 'web' });
    expect([w.state.ports.size, w.state.deleted.size]).toEqual([0, 0]);
    expect(w.state.nextPort).toBeGreaterThan(3);
  });

  it('is forgotten in the same order by a replica that began with a snapshot', () => {
    const w = threeHosts({ binding: 'ephemeral', ports: 0 });
    for (let n = 1; n <= 5; n += 1) used(w, `p${n}` as PortId);
    const read = stateFromJson(JSON.parse(JSON.stringify(stateDigestInput(w.state))));
    if (!read.ok) throw new Error(read.error.message);
    expect([...read.value.deleted]).toEqual([...w.state.deleted]);
    expect([...w.state.deleted]).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('is refused whatever is said of it late, and counts no more', () => {
    const w = threeHosts({ binding: 'ephemeral', ports: 0 });
    used(w, first);
    const ledger = w.state.ports.get(first)?.ledger;
    const late = w.facts('h1', ...handedIn(first, 2));
    expect(late.filter((e) => e.type === 'FactRefused')).toMatchObject([
      { code: 'fenced' },
      { code: 'fenced' },
    ]);
    expect(w.state.ports.get(first)?.ledger).toBe(ledger);
  });
});

const meta = (revision: number) => ({
  lineage: '00000000-0000-4000-8000-000000000001' as never,
  revision: revision as Revision,
  time: revision,
});
