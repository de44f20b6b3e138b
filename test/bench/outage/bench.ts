import { simulatedHosts } from '../../../deploy/quickstart/main.js';
import { freePorts } from '../../../deploy/quickstart/ports.js';
import { HOSTS } from '../../../deploy/quickstart/simulation.js';
import { withCluster } from '../support/cluster.js';
import { atMost, type Bench, type Figure } from '../support/figure.js';
import { round, spread } from '../support/stats.js';
import { MANAGERS, OutageWorld, type Outage } from './world.js';

/** How often each fault is tried; the long ones less. */
const LEADERS = 6;
const OUTAGES = [
  { ms: 1_000, times: 4 },
  { ms: 10_000, times: 2 },
] as const;
/** Others need seconds: their clients wait longer and longer between two attempts. */
const BAR_MS = 500;
/** For a host that is dead: when the client is told at last. */
const WAIT_MS = 2_000;

/** One guest a host, all in one group, so that a change of the group concerns every host. */
const guests = HOSTS.map((host, i) => ({
  host,
  owner: `vm-${i}`,
  ifaceId: `vm-${i}-eth0`,
  mac: `02:00:00:00:01:0${i}`,
  profile: 'web',
  switch: 'prod',
  pps: 0,
}));

type Say = (line: string) => void;

/** How long until a change is realised on every host again, after the leader, the message server or a host went. */
export const outage: Bench = async (say) => {
  const ports = await freePorts(MANAGERS.length);
  const env = Object.fromEntries(
    MANAGERS.map((name, i) => [name, { PORTOLAN_HEALTH_PORT: String(ports[i]) }]),
  );
  return withCluster({ say, hosts: (home) => simulatedHosts(home, guests), env }, async (it) => {
    const world = new OutageWorld(it, ports);
    await world.begin();
    return [
      ...(await leaderGone(world, 'killed', 'SIGKILL', say)),
      ...(await leaderGone(world, 'told to stop', 'SIGTERM', say)),
      ...(await down('nats-server', (ms) => world.serverGone(ms), say)),
      ...(await down('all managers', (ms) => world.managersGone(ms), say)),
      await hostGone(world),
    ];
  });
};

async function leaderGone(
  world: OutageWorld,
  how: string,
  signal: NodeJS.Signals,
  say: Say,
): Promise<Figure[]> {
  const [next, underWay]: [number[], number[]] = [[], []];
  for (let i = 0; i < LEADERS; i++) {
    // From not sent yet to answered already: a change takes some milliseconds.
    const took = await world.leaderGone(signal, i * 2);
    say(`leader ${how}: next change ${round(took.next)} ms, the one under way ${round(took.underWay)} ms`);
    next.push(took.next);
    underWay.push(took.underWay);
  }
  return [
    figure(`leader ${how}: the next change, request to realised`, next),
    figure(`leader ${how}: a change under way then, request to realised`, underWay),
  ];
}

async function down(what: string, tried: (ms: number) => Promise<Outage>, say: Say): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { ms, times } of OUTAGES) {
    const took: number[] = [];
    const starting: number[] = [];
    for (let i = 0; i < times; i++) {
      const one = await tried(ms);
      say(`${what} down for ${ms / 1000} s: ${round(one.next)} ms after it was back`);
      took.push(one.next);
      starting.push(one.startMs);
    }
    const text = `${what} down for ${ms / 1000} s: from back to the next change realised`;
    figures.push(figure(text, took, { startMs: spread(starting) }));
  }
  return figures;
}

async function hostGone(world: OutageWorld): Promise<Figure> {
  const { ms, named } = await world.hostGone(WAIT_MS);
  return {
    ...figure('one host dead for good: a wait of 2 s returns', [ms], { named }),
    target: { text: `≤ ${WAIT_MS} + 500, named`, met: ms <= WAIT_MS + 500 && named === HOSTS[0] },
  };
}

const figure = (what: string, times: number[], detail: Readonly<Record<string, unknown>> = {}): Figure => {
  const it = spread(times);
  return { bench: 'outage', what, unit: 'ms', spread: it, target: atMost(BAR_MS, it.max, 'all '), detail };
};
