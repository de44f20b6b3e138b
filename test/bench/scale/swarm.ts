import { join } from 'node:path';
import { documentVerifier } from '#platform';
import { startHost } from './agent.js';
import { shapes, type SwarmPlan } from './plan.js';
import { sharedVerifier } from './verifier.js';

/** Hosts that come up at a time: more would only wait for each other here, and run into their time limits. */
const AT_A_TIME = 10;

const plan = JSON.parse(process.env['PORTOLAN_SWARM'] ?? '') as SwarmPlan;
const verifier = sharedVerifier(await documentVerifier([join(plan.home, 'keys', 'manager.pub.pem')]));
const waiting = shapes(plan.hosts, plan.ports).filter((h) => h.number % plan.processes === plan.share);
const startNext = async (): Promise<void> => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    await startHost(plan, next, verifier);
    process.send?.('up');
  }
};
// The time for building up is over: those that are begun come up yet.
process.on('message', () => waiting.splice(0));
process.on('disconnect', () => process.exit(0));
await Promise.all(Array.from({ length: AT_A_TIME }, startNext));
process.send?.('done');
