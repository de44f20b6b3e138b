import { type Compiled } from '#compiler';
import { type LiveUplink } from '../uplinks.js';
import { type VlanRange } from './probe.js';

/** A VLAN on an uplink. */
export interface Lane {
  readonly uplink: LiveUplink;
  readonly vlan: number;
}

/** What ports of one switch use of its uplinks. */
export interface Use {
  readonly lanes: readonly Lane[];
  readonly vlans: readonly VlanRange[];
  /** Uplinks, by name, over which ports are spread by the hash of addresses. */
  readonly hashed: readonly ReadonlySet<string>[];
}

/** A trunk of more VLANs says what it may carry, not what it does. */
const WIDEST = 64;

export function useOf({ bindings }: Compiled, uplinks: readonly LiveUplink[]): Use {
  const byName = new Map(uplinks.map((u) => [u.uplink, u]));
  const bridge = uplinks[0]?.bridge;
  const used = new Map<string, Lane>();
  const hashed = new Map<string, ReadonlySet<string>>();
  for (const { bridge: on, carried } of bindings) {
    if (on !== bridge || carried === undefined) continue;
    const names = carried.uplinks.map(({ name }) => name);
    if (carried.teaming.mode === 'ip-hash') hashed.set([...names].sort().join(), new Set(names));
    for (const vlan of carried.tags.filter(({ from, to }) => to - from < WIDEST).flatMap(each))
      for (const name of names) {
        const uplink = byName.get(name);
        if (uplink !== undefined) used.set(laneKey(name, vlan), { uplink, vlan });
      }
  }
  const lanes = [...used.values()].sort((a, b) => a.vlan - b.vlan || a.uplink.key - b.uplink.key);
  return { lanes, vlans: rangesOf(lanes.map(({ vlan }) => vlan)), hashed: [...hashed.values()] };
}

export const laneKey = (uplink: string, vlan: number): string => `${uplink} ${vlan}`;

export const has = (ranges: readonly VlanRange[], vlan: number): boolean =>
  ranges.some(({ from, to }) => from <= vlan && vlan <= to);

const each = ({ from, to }: VlanRange): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Sorted numbers as ranges. */
function rangesOf(vlans: readonly number[]): readonly VlanRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const vlan of vlans) {
    const last = ranges.at(-1);
    if (last !== undefined && vlan <= last.to + 1) last.to = vlan;
    else ranges.push({ from: vlan, to: vlan });
  }
  return ranges;
}
