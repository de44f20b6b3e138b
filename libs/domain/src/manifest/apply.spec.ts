import { describe, expect, it } from '@jest/globals';
import { type PortId } from '#kernel';
import {
  applying,
  dvs,
  group,
  handedIn,
  host,
  MAC_A,
  MAC_B,
  plug,
  threeHosts,
  types,
  World,
} from '../testing.js';

const web = (spec: object) => group('web', spec);
const at = (path: string) => ({ details: [{ field: path }] });

describe('apply', () => {
  it('takes references within the file in any order, as one commit in dependency order', () => {
    const w = new World();
    const events = w.apply(group('web', { ports: 1 }), dvs('lan', ['h1']), host('h1'));
    expect(types(events)).toEqual(['HostDefined', 'SwitchDefined', 'GroupDefined', 'PortCreated']);
    expect(w.apply(group('web', { ports: 1 }), dvs('lan', ['h1']), host('h1'))).toEqual([]);
  });

  it('collects every problem of a file, each with its path, and does nothing', () => {
    const w = threeHosts();
    const before = w.state;
    const problem = w.refused({
      type: 'Apply',
      resources: [
        {
          kind: 'Host',
          name: 'h1' as never,
          version: 77,
          spec: applying(host('h1')).resources[0]?.spec as never,
        },
        ...applying(
          web({ policy: { teaming: { active: ['nope'] } } }),
          group('db', { switch: 'none' }),
          dvs('wan', ['h1', 'h9']),
        ).resources,
      ],
    });
    expect(problem.code).toBe('conflict');
    expect(problem.details.map((d) => d.field)).toEqual([
      'resources[0](Host h1).version',
      'resources[3](DistributedSwitch wan).spec.members.h1.uplink1',
      'resources[3](DistributedSwitch wan).spec.members.h9',
      'resources[1](PortGroup web).spec.policy.teaming.active[0]',
      'resources[2](PortGroup db).spec.switch',
    ]);
    expect(problem.message).toContain('belongs to switch lan');
    expect(w.state).toBe(before);
  });

  it('names the current version on a stale one; 0 means that there must be none', () => {
    const w = threeHosts();
    const stale = { kind: 'PortGroup', name: 'web', version: 9, spec: { switch: 'lan' } };
    expect(w.refused(applying(stale))).toMatchObject({
      code: 'conflict',
      details: [{ value: '9', expected: 'the current version 1' }],
    });
    expect(w.refused(applying({ ...stale, version: 0 })).code).toBe('conflict');
    w.apply({ ...stale, name: 'new', version: 0 });
  });

  it('refuses the same name twice, also of both kinds of switch', () => {
    const w = threeHosts();
    const std = { kind: 'StandardSwitch', name: 'x', spec: { members: { h1: {} } } };
    expect(w.refused(applying(dvs('x', []), std))).toMatchObject({ code: 'invalid' });
    expect(w.refused(applying({ ...std, name: 'lan' }))).toMatchObject(
      at('resources[0](StandardSwitch lan).kind'),
    );
  });
});

describe('what is in use', () => {
  it('keeps an uplink that a group names, and a host with ports of the switch', () => {
    const w = threeHosts({ policy: { teaming: { active: ['uplink2'] } } });
    const less = dvs('lan', ['h1', 'h2', 'h3'], { uplinks: ['uplink1'] });
    expect(w.refused(applying(less)).message).toContain('group web: policy.teaming.active[0]');
    w.facts('h1', plug('if-1'));
    expect(w.refused(applying(dvs('lan', ['h2', 'h3'])))).toMatchObject({
      details: [
        {
          field: 'resources[0](DistributedSwitch lan).spec.members.h1',
          reason: expect.stringContaining('p1'),
        },
      ],
    });
  });

  it('keeps a burst of at least one frame when the MTU grows', () => {
    const shapingIn = { average: 8000, peak: 8000, burst: 1518 };
    const w = threeHosts({ policy: { shapingIn } });
    const jumbo = dvs('lan', ['h1', 'h2', 'h3'], { mtu: 9000 });
    expect(w.refused(applying(jumbo))).toMatchObject(at('resources[0](DistributedSwitch lan).spec.mtu'));
  });

  it('keeps switches with groups, hosts with ports, groups that are preloaded', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    const gone = (kind: 'Host' | 'DistributedSwitch' | 'PortGroup', name: string) =>
      w.refused({ type: 'Delete', kind, name });
    expect(gone('DistributedSwitch', 'lan').message).toContain('web');
    expect(gone('Host', 'h1').message).toContain('p1');
    expect(gone('Host', 'h9').code).toBe('not-found');
    w.apply(host('h2', { preload: ['web'] }));
    expect(gone('PortGroup', 'web').message).toContain('preloaded by h2');
  });

  it('keeps connected ports: a group can’t shrink below them or change its switch', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'), plug('if-2', MAC_B));
    expect(w.refused(applying(web({ ports: 1 })))).toMatchObject(
      at('resources[0](PortGroup web).spec.ports'),
    );
    w.apply(dvs('wan', []));
    expect(w.refused(applying(web({ switch: 'wan' })))).toMatchObject(
      at('resources[0](PortGroup web).spec.switch'),
    );
  });

  it('lets a group close with its last port', () => {
    const w = threeHosts();
    w.facts('h1', plug('if-1'));
    expect(types(w.do({ type: 'Delete', kind: 'PortGroup', name: 'web' }))).toEqual(['GroupClosing']);
    expect(w.facts('h1', plug('if-2', MAC_B))).toMatchObject([{ code: 'group-closing' }, {}]);
    expect(w.refused(applying(web({ ports: 9 }))).message).toContain('is closing');
    expect(w.refused({ type: 'DisconnectPort', port: 'p1' as PortId }).message).toContain('h1');
    w.facts('h1', { type: 'InterfaceUnplugged', ifaceId: 'if-1' }, ...handedIn('p1', 1));
    expect(types(w.do({ type: 'DisconnectPort', port: 'p1' as PortId }))).toEqual([
      'PortDisconnected',
      'PortDeleted',
      'PortDeleted',
      'GroupDeleted',
    ]);
  });
});

describe('MACs and VLANs', () => {
  const two = (): World => {
    const w = threeHosts({ policy: { vlan: { mode: 'access', id: 10 } } });
    w.apply(group('db', { policy: { vlan: { mode: 'access', id: 20 } } }));
    w.facts('h1', plug('if-1', MAC_A), plug('if-2', MAC_A, { profile: 'db' }));
    return w;
  };
  const vlan = (name: string, v: object) => group(name, { policy: { vlan: v } });

  it('may swap between two groups in one file', () => {
    const w = two();
    w.apply(vlan('web', { mode: 'access', id: 20 }), vlan('db', { mode: 'access', id: 10 }));
    expect(w.state.byMac.get('lan 20 02:00:00:00:00:01')).toBe('p1');
  });

  it.each([
    ['one VLAN', { mode: 'access', id: 20 }],
    ['a trunk that carries it', { mode: 'trunk', ranges: [{ from: 15, to: 25 }] }],
  ])('may not meet in %s', (_what, v) => {
    const w = two();
    expect(w.refused(applying(vlan('web', v)))).toMatchObject(at('resources[0](PortGroup web)'));
    w.apply(vlan('web', { mode: 'trunk', ranges: [{ from: 30, to: 40 }] }));
  });
});

describe('overrides', () => {
  const set = (override: object) => ({ type: 'SetPort' as const, port: 'p1' as PortId, override });

  it('are refused for what the group does not allow, with the list of what it does', () => {
    const w = threeHosts({ overridable: ['blocked'] });
    expect(w.refused(set({ promiscuous: true }))).toMatchObject({
      details: [{ field: 'resources[0](Port p1).spec.override.promiscuous', expected: 'one of: blocked' }],
    });
    w.do(set({ blocked: true }));
  });

  it('stay stored when the group forbids them later, and go on disconnecting where the group resets', () => {
    const w = threeHosts({ overridable: ['blocked'], resetAtDisconnect: true });
    w.do(set({ blocked: true }));
    w.apply(web({ resetAtDisconnect: true }));
    expect(w.state.ports.get('p1' as PortId)?.override).toEqual({ blocked: true });
    expect(w.do(set({ blocked: true }))).toEqual([]);
    const connectee = { kind: 'vm' as const, ifaceId: 'if-1', mac: MAC_A, owner: 'vm1' };
    w.do({ type: 'ConnectPort', group: 'web', connectee });
    expect(w.do({ type: 'ConnectPort', group: 'web', connectee })).toEqual([]);
    expect(types(w.do({ type: 'DisconnectPort', port: 'p1' as PortId }))).toEqual([
      'PortDisconnected',
      'PortOverridden',
    ]);
  });
});
