import { join } from 'node:path';
import { documentVerifier } from '#platform';
import { startHost, type SwarmHost } from './agent.js';
import { hostName, rackOf, shapes, type SwarmPlan } from './plan.js';
import { Rack } from './rack.js';
import { type SwarmAnswer, type SwarmOrder } from './swarm-orders.js';
import { sharedOpener } from './opened.js';

/** Hosts that come up at a time: more would only wait for each other here, and run into their time limits. */
const AT_A_TIME = 10;

const plan = JSON.parse(process.env['PORTOLAN_SWARM'] ?? '') as SwarmPlan;
const verifier = await documentVerifier([join(plan.home, 'keys', 'manager.pub.pem')]);
const signed = { verifier, open: sharedOpener(verifier) };
const racks = new Map<number, Rack>();
const hosts = new Map<string, SwarmHost>();
let waiting: ReturnType<typeof shapes> = [];

const answer = (it: SwarmAnswer): void => void process.send?.(it);

async function startNext(): Promise<void> {
  for (let shape = waiting.shift(); shape !== undefined; shape = waiting.shift()) {
    const number = rackOf(shape.number);
    const rack = racks.get(number) ?? new Rack();
    racks.set(number, rack);
    hosts.set(shape.name, await startHost(plan, shape, signed, rack));
    answer({ up: shape.name });
  }
}

async function grow(from: number, to: number): Promise<void> {
  const isOurs = (number: number): boolean => rackOf(number) % plan.processes === plan.share;
  waiting = shapes(plan.size, from, to).filter((h) => isOurs(h.number));
  await Promise.all(Array.from({ length: AT_A_TIME }, startNext));
  answer({ done: 'grow', sent: {} });
}

/** What the guests of these names were given to send, after their hosts told their counters. */
async function count(owners: readonly string[]): Promise<void> {
  const asked = new Set(owners);
  const guests = [...racks.values()].flatMap((rack) => [...rack.guests.values()]);
  const ours = guests.filter((guest) => asked.has(guest.owner));
  const at = new Set(ours.map((guest) => guest.at.host));
  await Promise.all([...at].map((host) => hosts.get(host)?.tell()));
  answer({ done: 'count', sent: Object.fromEntries(ours.map(({ owner, sent }) => [owner, sent])) });
}

async function kill(number: number): Promise<void> {
  await hosts.get(hostName(number))?.die();
  hosts.delete(hostName(number));
  answer({ done: 'kill', sent: {} });
}

async function carryOut(order: SwarmOrder): Promise<void> {
  if (order.do === 'grow') return grow(order.from, order.to);
  if (order.do === 'count') return count(order.owners);
  if (order.do === 'kill') return kill(order.number);
  // The time for building up is over: those that are begun come up yet.
  waiting = [];
}

process.on('message', (order: SwarmOrder) => {
  carryOut(order).catch((cause: unknown) => {
    process.stderr.write(`swarm: ${order.do}: ${cause instanceof Error ? cause.stack : String(cause)}\n`);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit(0));
