import { describe, expect, it } from '@jest/globals';
import {
  BRIDGE_PROTOCOLS,
  LEARNED_OWNER,
  makeCookie,
  observe,
  type BridgeState,
  type Flow,
  type Observation,
  type PortSettings,
} from '#openflow';
import { TABLES } from '#compiler';
import { driftOf } from './differences.js';

const flow = (priority: number, more: Partial<Flow> = {}): Flow => ({
  table: TABLES.SECURITY,
  priority,
  match: {},
  actions: [],
  cookie: makeCookie({ feature: 1, object: 1 }),
  ...more,
});
const bridge: BridgeState = {
  name: 'b',
  switch: 'lan',
  mtu: 1500,
  ports: [
    { name: 'up0', plugged: 'agent', type: '', marks: { 'portolan-uplink': 'u1' } },
    { name: 'tap1', plugged: 'other', type: '', marks: { 'portolan-port': 'p1' } },
  ],
  flows: [flow(1), flow(2)],
  groups: [{ id: 3, type: 'all', buckets: [] }],
  meters: [{ id: 16, unit: 'kbps', rate: 1_000, burst: 100 }],
};
const installed = { bridges: [bridge] };
const change = (
  with_: (b: Observation['bridges'][number]) => Partial<Observation['bridges'][number]>,
): Observation => {
  const have = observe(installed);
  return { ...have, bridges: have.bridges.map((b) => ({ ...b, ...with_(b) })) };
};
const fields = (have: Observation): string[] =>
  driftOf(installed, have).flatMap((d) => d.differences.map((x) => `${x.field}: ${x.expected} | ${x.found}`));
const stats = (f: Flow) => ({ flow: f, packets: 0n, bytes: 0n, durationMs: 0 });

describe('what differs from what was installed', () => {
  it('is nothing while nobody touched it', () => {
    expect(driftOf(installed, observe(installed))).toEqual([]);
  });

  it('is named flow by flow, whether it went, changed or came under our name', () => {
    const controller: Flow['actions'] = [{ kind: 'output', port: 7 }];
    const have = change(() => ({ flows: [flow(2, { actions: controller }), flow(9)].map(stats) }));
    expect(fields(have)).toEqual([
      'flow SECURITY 1: drop | absent',
      'flow SECURITY 2: drop | output:7',
      'flow SECURITY 9: absent | drop',
    ]);
  });

  it('never tells the token of a hand-over, neither where it is sent nor where it is awaited', () => {
    const token = 0xdfc42f17f681n;
    const trap = flow(200, { table: TABLES.TRAP, match: { eth_dst: { value: token } } });
    const tell: Flow['actions'] = [
      { kind: 'clone', actions: [{ kind: 'set-field', field: 'eth_dst', value: token }] },
    ];
    const gate = flow(50, { table: TABLES.GATE_IN, actions: tell });
    const with_ = { bridges: [{ ...bridge, flows: [trap, gate] }] };
    const gone = { ...observe(with_), bridges: [{ ...observe(with_).bridges[0]!, flows: [] }] };
    expect(driftOf(with_, gone)[0]?.differences).toEqual([
      { field: 'flow TRAP 200 eth_dst=(token)', expected: 'drop', found: 'absent' },
      { field: 'flow GATE_IN 50', expected: 'clone(set_field:(token)->eth_dst)', found: 'absent' },
    ]);
    const come = { ...gone, bridges: [{ ...gone.bridges[0]!, flows: [stats(trap), stats(gate)] }] };
    expect(JSON.stringify(driftOf({ bridges: [{ ...bridge, flows: [] }] }, come))).not.toContain('df:c4');
  });

  it('takes learned rows for facts, and other people’s flows for theirs', () => {
    const learned = flow(1, { cookie: makeCookie({ owner: LEARNED_OWNER, feature: 1, object: 1 }) });
    const theirs = flow(50, { cookie: 0x77n });
    expect(fields(change((b) => ({ flows: [...b.flows.slice(1), stats(learned), stats(theirs)] })))).toEqual(
      [],
    );
  });

  it('is named for groups, meters, the bridge itself and uplinks, not for vNICs', () => {
    expect(fields(change(() => ({ groups: [], meters: [] })))).toEqual([
      'group 3: group_id=3,type=all | absent',
      'meter 16: meter=16,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100 | absent',
    ]);
    expect(fields(change(() => ({ failMode: 'standalone', mtu: 9_000 })))).toEqual([
      'fail_mode: secure | standalone',
      'mtu: 1500 | 9000',
    ]);
    expect(fields({ ...observe(installed), interfaces: [] })).toEqual(['port up0: plugged | absent']);
    expect(fields({ bridges: [], interfaces: [] })).toEqual(['bridge: b | absent']);
  });

  it('is named by its key where it is one of several, of each device that the agent plugs', () => {
    const settings = {
      datapathType: { expected: 'netdev', found: 'system' },
      mtus: { up0: 1_400, up1: null },
    };
    expect(fields(change(() => ({ settings: { protocols: BRIDGE_PROTOCOLS, ...settings } })))).toEqual([
      'interface up0 mtu_request: 1500 | 1400',
      'interface up1 mtu_request: 1500 | absent',
      'datapath_type: netdev | system',
      'other_config:disable-in-band: true | absent',
    ]);
    const have = observe(installed);
    const altered: PortSettings = {
      ...{ unmarked: true, options: { x: '1' } },
      ...{ otherConfig: { 'lacp-fallback-ab': 'true' }, deviceConfig: { 'lacp-port-id': '9' } },
    };
    const by = (name: string) => ({ ...have.interfaces[0]!, name, type: 'tap', settings: altered });
    expect(fields({ ...have, interfaces: [by('up0'), have.interfaces[1]!] })).toEqual([
      'port up0 other_config:lacp-fallback-ab: absent | true',
      'port up0 interface other_config:lacp-port-id: absent | 9',
      'port up0 interface type:  | tap',
      'port up0 interface options:x: absent | 1',
      'port up0 interface external_ids:portolan-plugged: agent | absent',
    ]);
  });

  it('is named for the members of a bond that somebody took out', () => {
    const lag = {
      ...bridge.ports[0]!,
      name: 'lag1',
      bond: { members: ['up0', 'up1'], lacp: 'active' },
    } as const;
    const bonded = { bridges: [{ ...bridge, ports: [lag] }] };
    const have = observe(bonded);
    const [first] = driftOf(bonded, { ...have, interfaces: have.interfaces.slice(1) });
    expect(first?.differences).toEqual([
      { field: 'port lag1 interfaces', expected: 'b/up0,b/up1', found: 'b/up1' },
    ]);
  });
});
