/** How large the cluster is, in all. */
export interface ScaleSize {
  readonly hosts: number;
  readonly ports: number;
  readonly groups: number;
}

/** What a swarm process gets to know, as JSON in its environment. */
export interface SwarmPlan {
  readonly home: string;
  readonly server: string;
  /** At the end; how many of the hosts live yet is told by messages. */
  readonly size: ScaleSize;
  /** This process has every rack whose number leaves this, divided by `processes`. */
  readonly share: number;
  readonly processes: number;
}

/** A simulated host and the groups of its guests, one entry a guest. */
export interface HostShape {
  readonly name: string;
  readonly number: number;
  readonly groups: readonly string[];
  /** Default `SWITCH`. */
  readonly switch?: string;
}

export const SWITCH = 'prod';
export const DEVICE = 'eth1';
/** Every host has a guest in it. */
export const WIDE = 'wide';
/** Only `NARROW_HOSTS` hosts have. */
export const NARROW = 'narrow';
export const NARROW_HOSTS = 10;
/** Hosts on one physical segment; a tenant's guests, and their moves, stay within a rack. */
export const RACK = 10;

export const hostName = (number: number): string => `h${number}`;
export const numberOf = (host: string): number => Number(host.slice(1));
export const rackOf = (number: number): number => Math.floor(number / RACK);
export const ownerOf = (number: number, i: number): string => `vm-${number}-${i}`;

/**
 * The hosts `from` up to `to`: on each one guest in `WIDE`, and the others spread over the groups of the host's rack.
 * On the first hosts one of these is in `NARROW` instead.
 */
export function shapes(size: ScaleSize, from = 0, to = size.hosts): HostShape[] {
  const each = Math.max(2, Math.floor(size.ports / size.hosts));
  const groups = groupsOfRack(size);
  return Array.from({ length: to - from }, (_, k) => {
    const number = from + k;
    const others = Array.from({ length: each - 1 }, (_, i) => {
      if (i === 0 && number < NARROW_HOSTS) return NARROW;
      return rackGroup(rackOf(number), ((number % RACK) * (each - 1) + i) % groups);
    });
    return { name: hostName(number), number, groups: [WIDE, ...others] };
  });
}

export const rackGroup = (rack: number, i: number): string => `rack-${rack}-${i}`;

/** Groups that the guests of one rack share. */
export const groupsOfRack = ({ groups, hosts }: ScaleSize): number =>
  Math.max(1, Math.round((groups - 2) / Math.ceil(hosts / RACK)));

export const groupNames = (all: readonly HostShape[]): string[] => [...new Set(all.flatMap((h) => h.groups))];

/** Groups do not all share one segment: a broadcast reaches its own group's ports. */
export function vlanOf(group: string): number {
  let hash = 0;
  for (const c of group) hash = (hash * 31 + c.charCodeAt(0)) % 4000;
  return 10 + hash;
}
