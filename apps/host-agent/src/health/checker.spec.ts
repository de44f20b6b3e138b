import { describe, expect, it } from '@jest/globals';
import { NO_FEATURES } from '#domain/on-host';
import { ManualClock } from '../agent.fixture.js';
import { type LiveUplink } from '../uplinks.js';
import { Checker } from './checker.js';
import { type Use } from './lanes.js';
import { type VlanRange } from './probe.js';

/** What stands between two uplinks, and what they may do there. */
interface Fabric {
  /** `h1.1 7`: this uplink's port does not carry that VLAN. */
  readonly lacks?: readonly string[];
  /** Uplink whose port takes no full frames. */
  readonly small?: readonly string[];
  /** Hosts that are down. */
  readonly down?: readonly string[];
  /** Hosts whose uplinks are one link to it. */
  readonly bundled?: readonly string[];
}

/** Hosts with two uplinks each, which use these VLANs, or spread their ports over both by hash. */
class World {
  readonly clock = new ManualClock();
  fabric: Fabric = {};
  sent = 0;
  readonly #hosts = new Map<string, { readonly checker: Checker; readonly uplinks: readonly LiveUplink[] }>();

  constructor(hosts: number, vlans: readonly number[], hashed: readonly string[] = []) {
    for (let n = 1; n <= hosts; n += 1) {
      const host = `h${n}`;
      const uplinks = [1, 2].map((key) => uplinkOf(n, key));
      const teams = hashed.includes(host) ? [new Set(uplinks.map((u) => u.uplink))] : [];
      const checker = new Checker(
        {
          host,
          clock: this.clock,
          judged: () => undefined,
          random: () => 0.5,
          send: (_bridge, ofport, frame) => this.#carry(host, ofport, frame),
        },
        checkedOf(uplinks, vlans, teams),
      );
      this.#hosts.set(host, { checker, uplinks });
    }
  }

  /** The host's ports use these VLANs from now on. */
  use(host: string, vlans: readonly number[]): void {
    const { checker, uplinks } = this.#hosts.get(host)!;
    checker.become(checkedOf(uplinks, vlans));
  }

  /** VLANs that a host knows not to get through by its first uplink; null: it is too early to say. */
  missing(host: string): readonly number[] | null {
    return this.#hosts.get(host)?.checker.missing()?.get('uplink1') ?? null;
  }

  rounds(count: number): void {
    for (let i = 0; i < count * 20; i += 1) this.clock.advance(500);
  }

  faults(): string[] {
    return [...this.#hosts].flatMap(([host, { checker }]) =>
      checker
        .report()
        .flatMap((u) => u.faults.map(({ kind, vlan }) => `${host}.${u.uplink.at(-1)} ${kind} ${vlan}`)),
    );
  }

  #carry(from: string, key: number, frame: Uint8Array): void {
    this.sent += 1;
    const { lacks = [], small = [], down = [], bundled = [] } = this.fabric;
    const vlan = ((frame[14] ?? 0) << 8) | (frame[15] ?? 0);
    const isFull = frame.length > 1_000;
    const passes = (host: string, by: number) =>
      !lacks.includes(`${host}.${by} ${vlan}`) && !(isFull && small.includes(`${host}.${by}`));
    if (down.includes(from) || !passes(from, key)) return;
    for (const [host, { checker, uplinks }] of this.#hosts) {
      if (down.includes(host)) continue;
      for (const by of uplinks) {
        const isOwn = host === from && (by.key === key || bundled.includes(host));
        const isForAll = (frame[0] ?? 0) % 2 === 1;
        const isFor = ({ iface }: LiveUplink) => frame[5] === Number.parseInt(iface.mac?.slice(-2) ?? '', 16);
        // Of one link each frame comes by one uplink, which the fabric chooses: here the first.
        const isForIt = bundled.includes(host)
          ? by.key === 1 && (isForAll || uplinks.some(isFor))
          : isForAll || isFor(by);
        if (!isOwn && isForIt && passes(host, by.key)) checker.heard(by, vlan, frame);
      }
    }
  }
}

function checkedOf(uplinks: readonly LiveUplink[], vlans: readonly number[], hashed: Use['hashed'] = []) {
  const ranges: VlanRange[] = vlans.map((vlan) => ({ from: vlan, to: vlan }));
  const lanes = vlans.flatMap((vlan) => uplinks.map((uplink) => ({ uplink, vlan })));
  const use = { lanes, vlans: ranges, hashed };
  return { lineage: 'l', switch: 'lan', intervalSeconds: 10, mtu: 1_500, uplinks, use };
}

const uplinkOf = (n: number, key: number): LiveUplink => ({
  ...{ place: `lan/uplink${key}`, switch: 'lan', uplink: `uplink${key}`, bridge: 'pt-lan', key, ofport: key },
  iface: {
    ...{ bridge: 'pt-lan', name: `up${key}`, linkUp: true, externalIds: {}, marks: {}, type: '' },
    mac: `02:00:00:00:00:${(n * 2 + key).toString(16).padStart(2, '0')}`,
  },
  document: { ...NO_FEATURES, mtu: 1_500 } as unknown as LiveUplink['document'],
});

describe('a health check', () => {
  it('finds nothing where everything gets through', () => {
    const world = new World(3, [7, 8]);
    world.rounds(8);
    expect(world.faults()).toEqual([]);
  });

  it('names the port that lacks a VLAN, and takes it back', () => {
    const world = new World(2, [7, 8]);
    world.fabric = { lacks: ['h1.1 8'] };
    world.rounds(6);
    expect(world.faults()).toEqual(['h1.1 vlan 8']);
    world.fabric = {};
    world.rounds(3);
    expect(world.faults()).toEqual([]);
  });

  it('knows what does not get through after a few rounds, and asks until it does, used or not', () => {
    const world = new World(2, [7, 8]);
    world.fabric = { lacks: ['h1.1 8'] };
    world.rounds(1);
    expect(world.missing('h1')).toBeNull();
    world.rounds(5);
    expect(world.missing('h1')).toEqual([8]);
    expect(world.missing('h2')).toEqual([]);
    world.use('h1', [7]);
    world.rounds(6);
    expect(world.missing('h1')).toEqual([8]);
    world.fabric = {};
    world.rounds(2);
    expect(world.missing('h1')).toEqual([]);
  });

  it('names the port that takes no full frames, in each VLAN', () => {
    const world = new World(2, [7, 8]);
    world.fabric = { small: ['h2.2'] };
    world.rounds(12);
    expect(world.faults().sort()).toEqual(['h2.2 mtu 7', 'h2.2 mtu 8']);
  });

  it('blames nobody where a host is down, or loses a round', () => {
    const world = new World(2, [7, 8]);
    world.rounds(3);
    world.fabric = { down: ['h2'] };
    world.rounds(10);
    expect(world.faults().filter((fault) => fault.startsWith('h1'))).toEqual([]);
    world.fabric = { lacks: ['h1.1 8'] };
    world.rounds(2);
    world.fabric = {};
    world.rounds(2);
    expect(world.faults()).toEqual([]);
  });

  it('tells where teaming here and outside differ, either way', () => {
    const apart = new World(2, [7, 8], ['h1']);
    apart.rounds(6);
    expect(apart.faults()).toEqual(['h1.1 teaming 7']);
    const bundled = new World(2, [7]);
    bundled.fabric = { bundled: ['h1'] };
    bundled.rounds(6);
    expect(bundled.faults()).toEqual(['h1.1 teaming 7']);
    const agreed = new World(2, [7], ['h1']);
    agreed.fabric = { bundled: ['h1'] };
    agreed.rounds(6);
    expect(agreed.faults()).toEqual([]);
  });

  it('stays bounded with many hosts and VLANs', () => {
    const world = new World(
      10,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    world.rounds(1);
    const before = world.sent;
    world.rounds(1);
    // Of each host 40 small frames and 2 full ones; of the 18 uplinks of others about six answer each.
    expect(world.sent - before).toBeLessThan(10 * 42 * 12);
    expect(world.faults()).toEqual([]);
  });
});
