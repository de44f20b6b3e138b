import { describe, expect, it } from '@jest/globals';
import { type PortId } from '#kernel';
import { verifyLedger } from '../ledger/verify.js';
import { checkInvariants } from '../state/invariants.js';
import { dvs, group, MAC_A, plug, raw, threeHosts, types, type World } from '../testing.js';

const p1 = 'p1' as PortId;
const move = (name: string, more: object = {}) =>
  ({ type: 'MovePort', port: p1, group: name, ...more }) as const;
const segment = { port: p1, epoch: 1 as never, incarnation: 'a' };

/** `web` (p1, p2) in VLAN 10 with p1 plugged in on h1, and `db` (p3, p4) in VLAN 20. */
function webAndDb(db: object = {}): World {
  const w = threeHosts({ policy: { vlan: { mode: 'access', id: 10 } }, overridable: ['blocked'] });
  w.apply(group('db', { policy: { vlan: { mode: 'access', id: 20 } }, ...db }));
  w.facts('h1', plug('if-1'), { type: 'SegmentOpened', ...segment, raw: raw(0) });
  return w;
}
const sizes = ({ state }: World) =>
  ['web', 'db'].map((g) => [state.byGroup.get(g as never)?.size, state.free.get(g as never)?.size]);

describe('a port that is moved', () => {
  it('keeps its binding, epoch, ledger and overrides, and every group its number of ports', () => {
    const w = webAndDb();
    w.do({ type: 'SetPort', port: p1, override: { blocked: true } });
    const before = w.state.ports.get(p1);
    expect(types(w.do(move('db')))).toEqual(['PortDeleted', 'PortMoved', 'PortCreated']);
    expect(w.state.ports.get(p1)).toEqual({ ...before, group: 'db', version: w.state.revision });
    expect(sizes(w)).toEqual([
      [2, 2],
      [2, 1],
    ]);
    expect([...w.state.byMac.keys()]).toEqual([`lan 20 ${MAC_A}`]);
    w.facts('h1', { type: 'SegmentClosed', ...segment, raw: raw(7) });
    expect([verifyLedger(w.log, w.state), checkInvariants(w.state)]).toEqual([[], []]);
    expect(w.do(move('db'))).toEqual([]);
  });

  it('comes back to its own place', () => {
    const w = webAndDb();
    w.do(move('db'));
    w.do(move('web'));
    expect(sizes(w)).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('goes into an ephemeral group and out of it', () => {
    const w = webAndDb({ binding: 'ephemeral', ports: 0 });
    expect(types(w.do(move('db')))).toEqual(['PortMoved', 'PortCreated']);
    expect(types(w.do(move('web')))).toEqual(['PortDeleted', 'PortMoved']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('lets a closing group go that it was the last of', () => {
    const w = webAndDb();
    w.do({ type: 'Delete', kind: 'PortGroup', name: 'web' });
    expect(types(w.do(move('db')))).toEqual(['PortDeleted', 'PortMoved', 'PortDeleted', 'GroupDeleted']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('is refused where it can not be, with the reason', () => {
    const w = webAndDb({ ports: 1 });
    w.apply(dvs('other', [], {}), group('far', { switch: 'other' }));
    w.facts('h2', plug('if-2', MAC_A, { profile: 'db', owner: 'vm2' }));
    const why = (command: ReturnType<typeof move>) => w.refused(command).message;
    expect(why(move('none'))).toMatch(/group "none": is not a known port group/);
    expect(why(move('far'))).toMatch(/is a group of switch other, the port is on lan/);
    expect(why(move('db'))).toMatch(/belongs to port p3 in the same segment/);
    expect(why({ ...move('db'), port: 'p2' as PortId })).toMatch(/has no connectee/);
    expect(w.refused(move('db', { version: 1 })).code).toBe('conflict');
    w.apply(group('db', { ports: 1, policy: { vlan: { mode: 'access', id: 30 } } }));
    w.apply(group('low', { ports: 0, autoExpand: false }));
    expect(why(move('low'))).toMatch(/has no free port among its 0/);
    w.do({ type: 'StartMigration', owner: 'vm1', destination: 'h2' as never });
    expect(why(move('db'))).toMatch(/is being moved by migration m1/);
  });
});

describe('auto-shrink', () => {
  const connect = (w: World, n: number): PortId => {
    const connectee = { kind: 'vm' as const, ifaceId: `if-${n}`, mac: `02:00:00:00:01:0${n}`, owner: 'vm' };
    w.do({ type: 'ConnectPort', group: 'web', connectee });
    return w.state.byIface.get(connectee.ifaceId as never) as PortId;
  };
  const grown = (spec: object) => {
    const w = threeHosts({ autoExpand: true, ...spec });
    return { w, ids: [1, 2, 3, 4].map((n) => connect(w, n)) };
  };
  const disconnect = (w: World, port: PortId) => types(w.do({ type: 'DisconnectPort', port }));

  it('takes back what auto-expand made, as it falls free, and never less than the group asks for', () => {
    const { w, ids } = grown({ autoShrink: true });
    for (const n of [3, 0]) expect(disconnect(w, ids[n]!)).toEqual(['PortDisconnected', 'PortDeleted']);
    for (const n of [1, 2]) expect(disconnect(w, ids[n]!)).toEqual(['PortDisconnected']);
    expect([...(w.state.byGroup.get('web' as never) ?? [])].sort()).toEqual(['p2', 'p3']);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('keeps them without the flag, and takes them all when the flag comes', () => {
    const { w, ids } = grown({});
    for (const id of ids) expect(disconnect(w, id)).toEqual(['PortDisconnected']);
    const events = w.apply(group('web', { autoExpand: true, autoShrink: true }));
    expect(types(events)).toEqual(['GroupDefined', 'PortDeleted', 'PortDeleted']);
  });

  it('takes them back as their ports move away', () => {
    const { w, ids } = grown({ autoShrink: true });
    w.apply(group('db'));
    w.do({ type: 'MovePort', port: ids[0]!, group: 'db' });
    expect(w.state.byGroup.get('web' as never)?.size).toBe(3);
    expect(checkInvariants(w.state)).toEqual([]);
  });
});
