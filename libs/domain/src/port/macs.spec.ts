import { describe, expect, it } from '@jest/globals';
import { type PortId } from '#kernel';
import { checkInvariants } from '../state/invariants.js';
import { applying, dvs, group, MAC_A, MAC_B, threeHosts, type World } from '../testing.js';

const EXTRA = '02:00:00:00:00:32';
const VIRTUAL = '00:00:5e:00:01:0a';
const extra = { macs: { extra: [EXTRA], shared: [] } } as never;
const shared = { macs: { extra: [], shared: [VIRTUAL] } } as never;
const [p1, p2] = ['p1', 'p2'] as unknown as [PortId, PortId];
const web = (spec: object = {}) => group('web', { overridable: ['macs', 'vlan'], ...spec });

const connect = (port: PortId, mac: string) => {
  const connectee = { kind: 'vm' as const, ifaceId: `if-${port}`, mac, owner: `vm-${port}` };
  return { type: 'ConnectPort', group: 'web', port, connectee } as const;
};
const set = (port: PortId, override: object) => ({ type: 'SetPort', port, override }) as const;

/** Two ports of `web` in VLAN 10; p1 is connected. */
function start(): World {
  const w = threeHosts({ policy: { vlan: { mode: 'access', id: 10 } }, overridable: ['macs', 'vlan'] });
  w.do(connect(p1, MAC_A));
  return w;
}

describe('an extra MAC', () => {
  it('is the one port’s in its segment, as its own MAC is', () => {
    const w = start();
    w.do(set(p1, extra));
    expect([...w.state.byMac.keys()].sort()).toEqual([`lan 10 ${MAC_A}`, `lan 10 ${EXTRA}`].sort());
    expect(w.refused(connect(p2, EXTRA)).message).toMatch(/belongs to port p1/);
    w.do(connect(p2, MAC_B));
    expect(w.refused(set(p2, extra)).message).toMatch(/would meet port p1 with the same MAC/);
    expect(w.refused(set(p2, { macs: { extra: [MAC_A], shared: [] } })).message).toMatch(/port p1/);
    w.do(set(p1, {}));
    w.do(set(p2, extra));
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('is free in another segment, and for whom the group does not let it', () => {
    const w = start();
    w.do(set(p1, extra));
    w.do(connect(p2, MAC_B));
    w.do(set(p2, { ...(extra as object), vlan: { mode: 'access', id: 20 } }));
    expect(w.refused(set(p2, extra)).message).toMatch(/port p1/);
    w.apply(web({ policy: { vlan: { mode: 'access', id: 10 } }, overridable: ['vlan'] }));
    expect([...w.state.byMac.keys()].some((key) => key.endsWith(EXTRA))).toBe(false);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('of a group is refused where two of its ports would have it', () => {
    const w = start();
    const policy = { vlan: { mode: 'access', id: 10 }, ...(extra as object) };
    w.apply(web({ policy }));
    expect(w.refused(connect(p2, MAC_B)).message).toMatch(/belongs to port p1/);
    w.apply(web({ policy: { vlan: { mode: 'access', id: 10 } } }));
    w.do(connect(p2, MAC_B));
    expect(w.refused(applying(web({ policy }))).message).toMatch(/with the same MAC/);
    expect(checkInvariants(w.state)).toEqual([]);
  });

  it('that is shared may be many ports’', () => {
    const w = start();
    w.do(connect(p2, MAC_B));
    for (const port of [p1, p2]) w.do(set(port, shared));
    expect(checkInvariants(w.state)).toEqual([]);
  });
});

describe('a private VLAN', () => {
  it('takes no port into a secondary one but by its mode, nor becomes one while a port is in it', () => {
    const w = start();
    const sw = (secondary: number) => {
      const privateVlans = [{ primary: 100, secondary, kind: 'isolated' }];
      return applying(dvs('lan', ['h1', 'h2', 'h3'], { privateVlans }));
    };
    expect(w.refused(sw(10)).message).toMatch(/is a secondary VLAN/);
    w.do(sw(101));
    const vlan = (policy: object) => set(p1, { vlan: policy });
    expect(w.refused(vlan({ mode: 'access', id: 101 })).message).toMatch(/is a secondary VLAN/);
    const trunk = { mode: 'trunk', ranges: [{ from: 1, to: 200 }] };
    expect(w.refused(vlan({ ...trunk, native: 101 })).message).toMatch(/is a secondary VLAN/);
    for (const fine of [
      trunk,
      { mode: 'access', id: 100 },
      { mode: 'private', primary: 100, secondary: 101 },
    ])
      w.do(vlan(fine));
    expect(checkInvariants(w.state)).toEqual([]);
  });
});
