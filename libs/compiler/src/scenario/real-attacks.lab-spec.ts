import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forge, forgeries, heard } from '../../../../test/lab/attacks.js';
import { Collector } from '../../../../test/lab/collector.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, switchDoc, TOKEN, type HostSpec, type PortSpec } from '../documents.fixture.js';
import { REFUSED_FLOWS, refusedFrames } from '../features/refused.js';
import { TABLES } from '../pipeline/tables.js';
import { type LocalFacts } from '../types.js';
import { frame, rarp } from './frames.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const VLAN = 100;
const BACK = '83:5e:c2:e7:00:02';
/** Right, wrong, and none. */
const VLANS = [VLAN, 200, null];

const HOSTS = ['a', 'b', 'c'] as const;
type HostName = (typeof HOSTS)[number];

/** Everything that a port may be allowed, for who means ill. */
const ANYTHING = {
  promiscuous: true,
  macChanges: true,
  forgedTransmits: true,
} as const;
/** Where the guest is, or is to be: elsewhere, who may learn MACs may learn the guest's, and be taken for it on that host. */
const macLearning = { limit: 100, atLimit: 'flood', ageSeconds: 300, floodUnknown: true };
const GROUPS = [
  groupDoc('web', { vlan: { mode: 'access', id: VLAN }, ipfix: true } as never),
  groupDoc('any', {
    vlan: { mode: 'trunk', ranges: [{ from: 1, to: 4094 }], native: VLAN },
  } as never),
  groupDoc('look', { vlan: { mode: 'none' } } as never),
];
/** Guests of each host beside the one that moves: one who may do anything, and one who looks at both uplinks. */
const ATTACKER: Readonly<Record<HostName, number>> = { a: 11, b: 12, c: 13 };
const LOOKER: Readonly<Record<HostName, number>> = { a: 21, b: 22, c: 23 };
const PEER = 3;

const at = (epoch: number): Partial<LocalFacts>[] => [
  { handedOver: [{ port: 'p2' as never, epoch: (epoch - 1) as never }] },
  { activations: [{ port: 'p2' as never, epoch: epoch as never }] },
];

function host(name: HostName, moving: PortSpec | null): HostSpec {
  const uplinks = ['uplink1', 'uplink2'];
  const to = { port: `p${LOOKER[name]}` };
  const sources = uplinks.map((uplink) => ({ uplink, direction: 'both' }));
  const mirrors = [{ name: 'wire', snapLength: null, allowTraffic: false, sources, to }];
  const ipfix = {
    collector: '127.0.0.1:4739',
    domain: 7,
    activeTimeout: 60,
    sampling: 1,
    internalOnly: false,
  };
  return {
    switches: { lan: { uplink1: 'up0', uplink2: 'up1' } },
    docs: [{ ...switchDoc('lan', uplinks), mirrors, ipfix } as never],
    groups: GROUPS,
    ports: [
      {
        n: ATTACKER[name],
        group: 'any',
        override: { ...ANYTHING, ...(moving?.token === undefined ? {} : { macLearning }) } as never,
      },
      { n: LOOKER[name], group: 'look' },
      ...(name === 'c' ? [{ n: PEER }] : []),
      ...(moving === null ? [] : [moving]),
    ],
  };
}

/**
 * A guest moves from `a` to `b` and back, between others who may forge, hear and learn whatever they like, mirrors of
 * every uplink, and somebody on the wire. The fabric brings every frame everywhere, by both uplinks.
 */
describe('who is not the guest', () => {
  let lab: Lab;
  let outsider: LabVm;
  let collector: Collector;
  const hosts = {} as Record<HostName, RealHost>;
  const counted = new Map<HostName, number>();
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const moving = (): LabVm => vm(2);
  const attackers = (): LabVm[] => HOSTS.map((name) => vm(ATTACKER[name]));

  beforeAll(async () => {
    lab = await Lab.create({ hosts: HOSTS, uplinks: 2 });
    await lab.forgetMacs();
    for (const name of HOSTS) hosts[name] = await realHost(lab, name);
    for (const name of HOSTS) await hosts[name].become({ ...host(name, null), ports: [] });
    const plans: [HostName, number][] = [
      ['a', 2],
      ['c', PEER],
      ...HOSTS.flatMap((name): [HostName, number][] => [
        [name, ATTACKER[name]],
        [name, LOOKER[name]],
      ]),
    ];
    for (const [name, n] of plans) vms.set(n, await lab.addVm(name, { bridge: BRIDGE, ...numbered(n) }));
    outsider = await lab.addOutsider({ name: 'out', mac: mac(99), ip: '10.0.0.99' });
    collector = new Collector(lab.host('c').netns, '127.0.0.1', 4739);
    await collector.listens();
    await prepare({ n: 2 }, null);
  });

  afterAll(async () => {
    for (const name of HOSTS) await hosts[name]?.driver.close();
    await collector?.stop();
    await lab?.destroy();
  });

  async function prepare(
    atA: PortSpec | null,
    atB: PortSpec | null,
    local: readonly Partial<LocalFacts>[] = [],
  ) {
    await hosts.a.become(host('a', atA), local[0]);
    await hosts.b.become(host('b', atB), local[1]);
    await hosts.c.become(host('c', null));
    expect(HOSTS.flatMap((name) => hosts[name].compiled.exceptions)).toEqual([]);
  }

  /** What every host knows of who is active where, once all that was sent has been dealt with. */
  async function activity(): Promise<readonly string[]> {
    const rows = HOSTS.map(async (name) => {
      await lab.host(name).drained(...lab.host(name).uplinks, ...plugged(name));
      await lab.appctl(name, 'revalidator/purge');
      const text = await lab.ofctl(name, '--no-stats', 'dump-flows', BRIDGE, `table=${TABLES.ACTIVITY}`);
      return text
        .split('\n')
        .filter((line) => line.includes('actions='))
        .map((line) => `${name} ${line.trim()}`);
    });
    return (await Promise.all(rows)).flat().sort();
  }

  const plugged = (name: HostName): readonly string[] =>
    [...vms.values()].flatMap((one) =>
      one.pluggedAt.filter((p) => p.host.name === name).map((p) => p.outside),
    );

  /** All attack in all ways that they have, and nothing moves: the guest at its host is reached from everywhere. */
  async function withstands(tokens: readonly string[]): Promise<void> {
    const before = await activity();
    const frames = forgeries(mac(2), mac(PEER), tokens);
    for (const attacker of attackers()) await forge(attacker, frames, VLANS);
    await forge(outsider, frames, VLANS);
    expect(await activity()).toEqual(before);
    await reached();
  }

  /** Whether each host counted more of what came by its uplinks and is no guest's, since it was last asked. */
  async function refused(): Promise<readonly [HostName, boolean][]> {
    const told: [HostName, boolean][] = [];
    for (const name of HOSTS) {
      const flows = await hosts[name].driver.flowStats(BRIDGE, REFUSED_FLOWS.cookie, REFUSED_FLOWS.mask);
      const count = [...refusedFrames(flows).values()].reduce((sum, n) => sum + n, 0);
      told.push([name, count > (counted.get(name) ?? 0)]);
      counted.set(name, count);
    }
    return told;
  }

  async function reached(): Promise<void> {
    await moving().resetReceived();
    const from = [vm(PEER), ...attackers()];
    for (const one of from) await one.send({ to: moving(), count: 20, pps: 500 });
    await until('the guest to be reached', async () => {
      const got = await Promise.all(from.map(async (one) => (await moving().receivedFrom(one)).unique));
      return got.every((n) => n === 20) ? true : undefined;
    });
  }

  const guests = (): LabVm[] => [...vms.values()];

  it('turns nothing while nothing moves', async () => {
    await withstands([TOKEN, BACK]);
  });

  it('turns nothing while the guest moves, though it be told the token, but who is on its wire and in its VLAN', async () => {
    const standby = await moving().plugAt('b');
    await prepare({ n: 2, token: TOKEN }, { n: 2, role: 'standby', epoch: 2, token: TOKEN });
    await withstands([BACK]);
    const before = await activity();
    const sent = await Promise.all(HOSTS.map((name) => hosts[name].dropped(ATTACKER[name])));
    const token = [frame({ to: TOKEN, from: mac(2) })];
    for (const attacker of attackers()) await forge(attacker, token, VLANS);
    await forge(outsider, token, [200, null]);
    await forge(outsider, [frame({ to: TOKEN, from: mac(98) })], VLANS);
    expect(await activity()).toEqual(before);
    expect(await refused()).toEqual(HOSTS.map((name) => [name, true]));
    const now = await Promise.all(HOSTS.map((name) => hosts[name].dropped(ATTACKER[name])));
    expect(now.map(([n], i) => n - (sent[i]?.[0] ?? 0))).toEqual([VLANS.length, VLANS.length, VLANS.length]);
    await moving().runOn(standby.inside, 0);
  });

  it('does not hear the token, by whatever it is allowed to hear', async () => {
    for (const one of [...guests(), outsider]) await one.resetReceived();
    await moving().sendRaw(rarp(mac(2)));
    await until('the token on the wire', async () =>
      (await heard(outsider)).includes(TOKEN) ? true : undefined,
    );
    const rows = await activity();
    expect(rows.filter((row) => /cookie=0x5e71/.test(row))).toHaveLength(2);
    const who = await Promise.all(
      guests().map(async (one) => ((await heard(one)).includes(TOKEN) ? one.name : null)),
    );
    expect(who.filter((name) => name !== null)).toEqual([]);
    // They do hear what the guest said.
    expect(await heard(vm(LOOKER.c))).toContain('ff:ff:ff:ff:ff:ff');
    await reached();
  });

  it('turns nothing when the guest has moved, nor by an old token when it moves back', async () => {
    await prepare({ n: 2, role: 'retired' }, { n: 2, epoch: 2 }, at(2));
    await withstands([TOKEN]);
    const [old] = moving().pluggedAt;
    if (old !== undefined) await moving().unplug(old);
    const standby = await moving().plugAt('a');
    await prepare({ n: 2, role: 'standby', epoch: 3, token: BACK }, { n: 2, epoch: 2, token: BACK }, at(2));
    await withstands([TOKEN]);
    await moving().runOn(standby.inside, 1);
    await until('both hosts to turn', async () =>
      (await activity()).filter((row) => /cookie=0x5e71/.test(row)).length === 2 ? true : undefined,
    );
    await prepare({ n: 2, epoch: 3 }, { n: 2, role: 'retired', epoch: 2 }, [
      { activations: [{ port: 'p2' as never, epoch: 3 as never }] },
    ]);
    await withstands([TOKEN, BACK]);
  });

  it('is told of no token by IPFIX', async () => {
    // Flows that are put together are told when the collector goes.
    await hosts.c.become({ ...host('c', null), docs: [switchDoc('lan', ['uplink1', 'uplink2'])] });
    const told = (address: string): boolean =>
      collector.datagrams.some((d) => d.includes(Buffer.from(address.replaceAll(':', ''), 'hex')));
    await until('records of what the guest sent', async () => (told(mac(2)) ? true : undefined));
    expect([TOKEN, BACK].filter(told)).toEqual([]);
  });
});
