import { bridgeName } from '#compiler';
import { until } from '../../lab/exec.js';
import { type LabHost } from '../../lab/host.js';
import { BRIDGE } from '../ovn/controller.js';
import { dropping, port, SWITCH } from '../ovn/our-manifest.js';
import { type OurSide } from '../ovn/our-side.js';
import { rulesOf } from '../ovn/ovn-words.js';
import { type OvnSide } from '../ovn/ovn-side.js';
import { type Pair } from '../ovn/pair.js';
import { portsOf } from '../ovn/ports.js';
import { type Side } from '../ovn/side.js';
import { monotonic } from '../support/traffic.js';

export const HOST = 'h1';
export const PORTS = 40;
/** TCP over IPv4 and over IPv6. */
const FLOWS_OF_A_RULE = 2;
/** Rules that one transaction of OVN takes. */
const AT_ONCE = 1_000;

export const ports = portsOf([HOST], PORTS);
const FIRST_TCP = 2_000;

/** One side's host, with about as many flows as was asked for. */
export interface Rig {
  readonly name: 'ours' | 'OVN';
  readonly host: LabHost;
  readonly bridge: string;
  readonly side: Side;
  /** The process that gives the switch its flows is killed, and another started. */
  restart(): Promise<void>;
}

export async function rigsOf({ ours, peer, labs }: Pair, flows: number): Promise<readonly [Rig, Rig]> {
  const rigs: readonly [Rig, Rig] = [
    {
      name: 'ours',
      host: labs.ours.host(HOST),
      bridge: bridgeName(SWITCH),
      side: ours,
      restart: () => ours.restartAgent(HOST),
    },
    {
      name: 'OVN',
      host: labs.peer.host(HOST),
      bridge: BRIDGE,
      side: peer,
      restart: () => peer.restartController(HOST),
    },
  ];
  await fillOurs(ours, await rulesEach(rigs[0], flows));
  await fillPeer(peer, await rulesEach(rigs[1], flows));
  return rigs;
}

/** Flows on the switch, as it says itself. */
export async function flowsOn({ host, bridge }: Rig, table?: number): Promise<number> {
  const of = table === undefined ? [] : [`table=${table}`];
  return Number(/flow_count=(\d+)/.exec(await host.ofctl('dump-aggregate', bridge, ...of))?.[1]);
}

/** The side carries out changes (again). */
export async function works({ side }: Rig, n: number): Promise<void> {
  await side.make('portRule', n);
  await side.undo('portRule', n);
}

const rulesEach = async (rig: Rig, flows: number): Promise<number> =>
  Math.max(1, Math.round((flows - (await flowsOn(rig))) / (FLOWS_OF_A_RULE * PORTS)));

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => FIRST_TCP + i);

/** Each port has a list of its own: what ports have in common, the switch has once. */
async function fillOurs(side: OurSide, each: number): Promise<void> {
  for (const [i, id] of side.ports.entries()) {
    const filter = numbers(each).map((tcp) => dropping(tcp + i * each));
    await side.apply([port(id, { filter })], 1);
  }
}

async function fillPeer(side: OvnSide, each: number): Promise<void> {
  const rules = ports.flatMap(({ name }, i) =>
    numbers(each).map((tcp): [string, number] => [name, tcp + i * each]),
  );
  for (let i = 0; i < rules.length; i += AT_ONCE) await side.commit(rulesOf(rules.slice(i, i + AT_ONCE)));
}

/** Resolves when the switch has at least so many flows, with the time. */
export const flowsBack = (rig: Rig, count: number): Promise<number> =>
  until(`${count} flows of ${rig.name}`, async () =>
    (await flowsOn(rig)) >= count ? monotonic() : undefined,
  );
