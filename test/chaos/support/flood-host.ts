import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { bridgeName } from '#compiler';
import { documentVerifier } from '#platform';
import { startHost } from '../../bench/scale/agent.js';
import { tapOf } from '../../bench/scale/rack.js';
import { type FloodAnswer, type FloodOrder, type FloodPlan } from './flood-plan.js';

/** A host of its own process, with the production agent on a simulated switch, to which what is asked is done. */
const order = JSON.parse(process.env['CHAOS_FLOOD'] ?? '') as {
  home: string;
  server: string;
  ports: number;
  plan: FloodPlan;
};
const { host, number, switch: group } = order.plan;
const bridge = bridgeName(group);
process.on('disconnect', () => process.exit(0));

const { target, driver } = await startHost(
  { home: order.home, server: order.server },
  {
    name: host,
    number,
    groups: Array.from({ length: order.ports }, () => group),
    switch: group,
  },
  { verifier: await documentVerifier([join(order.home, 'keys', 'manager.pub.pem')]) },
);

const flows = async () => (await driver.read()).bridges.find((b) => b.name === bridge)?.flows ?? [];
const tap = tapOf(number, 0, group, group);

/** Unplugs and plugs one tap, a thousand times a second in all, and leaves it plugged. */
function flap(ms: number): Promise<number> {
  const began = performance.now();
  let done = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(ms, performance.now() - began);
      for (; done < elapsed; done += 1) {
        if (done % 2 === 0) target.removeInterface(tap.name);
        else target.addInterface(tap);
      }
      if (elapsed < ms) return;
      clearInterval(timer);
      if (done % 2 === 1) target.addInterface(tap);
      resolve(done);
    }, 1);
  });
}

async function carryOut(what: FloodOrder): Promise<FloodAnswer> {
  if (what.do === 'flap') return { done: await flap(what.ms) };
  if (what.do === 'count') return { done: (await flows()).length };
  let removed = 0;
  for (const { flow } of (await flows()).slice(0, what.most))
    if (target.deleteFlow(bridge, flow)) removed += 1;
  return { done: removed };
}

process.on('message', (what: FloodOrder) => {
  void carryOut(what).then((answer) => process.send?.(answer));
});
process.send?.({ done: (await flows()).length } satisfies FloodAnswer);
