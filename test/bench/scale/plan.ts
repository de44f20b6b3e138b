/** What a swarm process gets to know, as JSON in its environment. */
export interface SwarmPlan {
  readonly home: string;
  readonly server: string;
  readonly hosts: number;
  readonly ports: number;
  /** This process has every host whose number leaves this, divided by `processes`. */
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
const GROUPS = 10;

/** Ten groups with an equal share of each host's ports. */
export function shapes(hosts: number, ports: number): HostShape[] {
  return Array.from({ length: hosts }, (_, number) => ({
    name: `h${number}`,
    number,
    groups: Array.from({ length: ports }, (_, port) => {
      const group = port % GROUPS;
      if (group === 0) return WIDE;
      return group === 1 && number < NARROW_HOSTS ? NARROW : `rest-${group}`;
    }),
  }));
}

export const groupNames = (all: readonly HostShape[]): string[] => [...new Set(all.flatMap((h) => h.groups))];
