import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AgentHost, BRIDGE, mac, settle, type BindingSpec } from '../agent.fixture.js';
import { teamingView } from '../teaming/teaming.fixture.js';
import { readMessage } from './message.js';
import { igmp2, igmpFrame, ip4 } from './messages.fixture.js';
import { TIMES } from './schedule.js';
import { snooping } from './snooping.js';

const G = ip4('239.1.2.3');
const TOKEN = '03:5e:c2:e7:00:01';

describe('snooping of an agent', () => {
  let host: AgentHost;
  let revision = 0;

  const become = (...bindings: readonly BindingSpec[]): Promise<void> => becomeIn({ mode: 'none' }, bindings);
  const becomeIn = async (vlan: object, bindings: readonly BindingSpec[]): Promise<void> => {
    const privateVlans = [{ primary: 100, secondary: 101, kind: 'isolated' }] as never;
    const features = { multicast: 'snooping', privateVlans } as const;
    const scene = { teaming: {}, vlan, devices: ['eth0', 'eth1'], features };
    host.agent.documents(teamingView((revision += 1), bindings, scene));
    await settle();
  };
  /** What a guest was asked since the last time: the family, and the group if one was named. */
  const asked = (n: number): readonly string[] => {
    const all = host.out.filter(({ name }) => name === `tap${n}`).map(({ frame }) => readMessage(frame));
    host.out.length = 0;
    return all.flatMap((m) => (m?.kind === 'query' ? [`${m.family} ${m.group?.toString(16) ?? 'any'}`] : []));
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      host.clock.advance(Math.min(500, left));
      await settle();
    }
  };
  const says = async (from: string, frame: Uint8Array): Promise<void> => {
    host.switch.inject(from, frame);
    await settle();
  };
  /** Guests that get a frame to the group from outside. */
  const get = async (): Promise<readonly string[]> => {
    host.out.length = 0;
    const data = igmpFrame({ mac: mac(9), from: 9n, to: G }, igmp2(0x16, G));
    // The same as a datagram of another protocol, whose checksum no switch looks at.
    data[23] = 17;
    await says('eth0', data);
    return host.out.map(({ name }) => name).sort();
  };

  beforeEach(async () => {
    host = new AgentHost(['eth0', 'eth1']);
    host.services = [snooping];
    await host.start();
    await become({ n: 1 }, { n: 2 });
    await host.plug(1);
    await host.plug(2);
  });

  afterEach(async () => {
    await host.agent.close();
  });

  it('asks a guest that came, twice, and gives it every group until it had time to answer', async () => {
    expect(await get()).toEqual(['tap1', 'tap2']);
    await pass(TIMES.settles - 500);
    expect(asked(1)).toEqual(['4 any', '6 any']);
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    expect(await get()).toEqual(['tap1', 'tap2']);
    await pass(500);
    expect(await get()).toEqual(['tap1']);
  });

  it('asks again when another uplink carries the guest, and when one arrives from another host', async () => {
    await pass(5_000);
    asked(1);
    host.switch.setLink('eth0', false);
    await settle();
    expect(asked(1)).toEqual(['4 any', '6 any']);
    await become({ n: 1 }, { n: 2 }, { n: 3, role: 'standby', token: TOKEN });
    await host.plug(3);
    await pass(5_000);
    expect(asked(3)).toEqual([]);
    await host.send(3, mac(9));
    expect(asked(3)).toEqual(['4 any', '6 any']);
  });

  it('asks from time to time unless a router does, and forgets who says nothing', async () => {
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    await pass(TIMES.looks * 2);
    asked(1);
    await pass(TIMES.asks - TIMES.looks * 2);
    expect(asked(1)).toEqual([]);
    await pass(TIMES.looks * 2);
    expect(asked(1)).toEqual(['4 any', '6 any']);
    const router = igmpFrame({ mac: mac(9), from: 9n, to: ip4('224.0.0.1') }, igmp2(0x11, 0n, 100));
    for (let i = 0; i < 2; i += 1) {
      await says('eth0', router);
      asked(1);
      await pass(TIMES.asks);
      expect(asked(1).filter((q) => q === '4 any')).toEqual([]);
    }
    expect(await get()).toEqual([]);
  });

  it.each([
    ['is in a private VLAN and', { mode: 'private', primary: 100, secondary: 101 }, ip4('224.0.0.1')],
    ['asks where nobody listens, so that it', { mode: 'none' }, G],
  ])('goes on asking where a guest asks that %s is not heard by others', async (_who, vlan, to) => {
    await becomeIn(vlan, [{ n: 1 }, { n: 2 }]);
    await pass(5_000);
    asked(1);
    for (let i = 0; i < 4; i += 1) {
      await says('tap2', igmpFrame({ mac: mac(2), from: 2n, to }, igmp2(0x11, 0n, 100)));
      await pass(TIMES.asks / 3);
    }
    expect(asked(1)).toContain('4 any');
  });

  it('gives a router among the guests every group', async () => {
    await pass(5_000);
    expect(await get()).toEqual([]);
    await says('tap2', igmpFrame({ mac: mac(2), from: 2n, to: ip4('224.0.0.1') }, igmp2(0x11, 0n, 100)));
    expect(await get()).toEqual(['tap2']);
    // A switch that asks has no address, and is no router.
    await says('tap1', igmpFrame({ mac: mac(1), to: ip4('224.0.0.1') }, igmp2(0x11, 0n, 100)));
    expect(await get()).toEqual(['tap2']);
  });

  it('brings a router’s question about one group to its members, but not to who must not hear the router', async () => {
    const query = (n: number) => igmpFrame({ mac: mac(n), from: BigInt(n), to: G }, igmp2(0x11, G, 100));
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    await pass(5_000);
    asked(1);
    await says('tap2', query(2));
    expect(asked(1)).toEqual([`4 ${G.toString(16)}`]);
    await becomeIn({ mode: 'private', primary: 100, secondary: 101 }, [{ n: 1 }, { n: 2 }]);
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    await pass(5_000);
    asked(1);
    await says('tap2', query(2));
    expect(asked(1)).toEqual([]);
    await says('eth0', igmpFrame({ mac: mac(9), from: 9n, to: G, vlan: 101 }, igmp2(0x11, G, 100)));
    expect(asked(1)).toEqual([]);
    await says('eth0', igmpFrame({ mac: mac(9), from: 9n, to: G, vlan: 100 }, igmp2(0x11, G, 100)));
    expect(asked(1)).toEqual([`4 ${G.toString(16)}`]);
  });

  it('brings it once: not what comes by another uplink than the member’s, and not to who gets everything', async () => {
    const brought = async (from: string, n: number): Promise<readonly string[]> => {
      host.out.length = 0;
      await says(from, igmpFrame({ mac: mac(n), from: BigInt(n), to: G }, igmp2(0x11, G, 100)));
      return host.out
        .map(({ name }) => name)
        .filter((name) => name.startsWith('tap'))
        .sort();
    };
    for (const n of [1, 2]) await says(`tap${n}`, igmpFrame({ mac: mac(n), to: G }, igmp2(0x16, G)));
    // Not asked for what it listens to yet, so that both get every group.
    expect(await brought('eth0', 9)).toEqual(['tap1', 'tap2']);
    await pass(5_000);
    expect(await brought('eth0', 9)).toEqual(['tap1', 'tap2']);
    expect(await brought('eth1', 9)).toEqual([]);
    // Now a router itself.
    expect(await brought('tap2', 2)).toEqual(['tap1']);
    expect(await brought('eth0', 9)).toEqual(['tap1', 'tap2']);
  });

  it('asks whoever is behind the port before it forgets a group that was left', async () => {
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    await pass(5_000);
    asked(1);
    await says('tap1', igmpFrame({ mac: mac(1), to: ip4('224.0.0.2') }, igmp2(0x17, G)));
    expect(asked(1)).toEqual([`4 ${G.toString(16)}`]);
    expect(await get()).toEqual(['tap1']);
    await pass(TIMES.left);
    expect(await get()).toEqual([]);
  });

  it.each([
    ['what stands', {}, false],
    ['what stands on a bridge whose mark was taken away', { markLost: true }, true],
  ] as const)('goes on with %s', async (_what, altered, isMended) => {
    await says('tap1', igmpFrame({ mac: mac(1), to: G }, igmp2(0x16, G)));
    await pass(5_000);
    await host.agent.close();
    host.switch.alterBridge(BRIDGE, altered);
    host.steps.length = 0;
    await host.start();
    await become({ n: 1 }, { n: 2 });
    expect(host.steps.map(({ kind }) => kind)).not.toContain('bundle');
    expect(host.steps.some(({ kind }) => kind === 'ovsdb')).toBe(isMended);
    const reports = host.reports.length;
    await settle();
    expect(host.reports.length).toBe(reports);
    expect(await get()).toEqual(['tap1']);
  });
});
