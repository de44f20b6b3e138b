import { join } from 'node:path';
import { documentVerifier } from '#runtime';
import { startHost } from './agent.js';
import { type SwarmPlan } from './plan.js';

/** Hosts that connect at a time. */
const AT_A_TIME = 20;

const plan = JSON.parse(process.env['PORTOLAN_SWARM'] ?? '') as SwarmPlan;
const verifier = await documentVerifier([join(plan.home, 'keys', 'manager.pub.pem')]);
for (let from = 0; from < plan.hosts.length; from += AT_A_TIME)
  await Promise.all(
    plan.hosts.slice(from, from + AT_A_TIME).map((shape) => startHost(plan, shape, verifier)),
  );
process.send?.('connected');
process.on('disconnect', () => process.exit(0));
