/** A guest of a simulated host, as the agent's simulation file has it. */
export interface GuestPlan {
  readonly host: string;
  readonly owner: string;
  readonly ifaceId: string;
  readonly mac: string;
  readonly profile: string;
  readonly switch: string;
  readonly peer?: string;
  readonly pps: number;
  readonly limit?: number;
  readonly waits?: boolean;
}

/** The simulated hosts of the quick start. */
export const HOSTS = ['alpha', 'bravo', 'charlie'] as const;

/** Two web servers that talk to each other across hosts, and a database that broadcasts now and then. */
export const GUESTS: readonly GuestPlan[] = [
  guest('web-1', 'alpha', '02:00:00:00:01:01', 'web', '02:00:00:00:01:02', 500),
  guest('web-2', 'bravo', '02:00:00:00:01:02', 'web', '02:00:00:00:01:01', 200),
  guest('db-1', 'charlie', '02:00:00:00:02:01', 'db', 'ff:ff:ff:ff:ff:ff', 5),
];

function guest(
  owner: string,
  host: string,
  mac: string,
  profile: string,
  peer: string,
  pps: number,
): GuestPlan {
  return { host, owner, ifaceId: `${owner}-eth0`, mac, profile, switch: 'prod', peer, pps };
}

export interface SimulatedPorts {
  readonly fabric: number;
  readonly migration: number;
}

/** The simulation file of one host. */
export function simulationOf(
  host: string,
  ports: Readonly<Record<string, SimulatedPorts>>,
  guests: readonly GuestPlan[],
  copyMs = 300,
): object {
  const at = (port: number | undefined) => `127.0.0.1:${port}`;
  const others = Object.keys(ports).filter((h) => h !== host);
  return {
    uplinks: ['eth1', 'eth2'],
    fabric: {
      listen: at(ports[host]?.fabric),
      peers: others.map((h) => ({ host: h, address: at(ports[h]?.fabric) })),
    },
    migration: {
      listen: at(ports[host]?.migration),
      peers: Object.fromEntries(others.map((h) => [h, at(ports[h]?.migration)])),
      copyMs,
    },
    guests: guests.filter((g) => g.host === host).map(({ host: _host, ...spec }) => spec),
  };
}
