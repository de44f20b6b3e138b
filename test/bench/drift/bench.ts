import { OvsDriver } from '#ovs';
import { documentsOf, LabAgent } from '../../lab/agent.js';
import { type Lab, numbered, until } from '../../lab/net.js';
import { atMost, needing, type Figure } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { pause } from '../support/until.js';
import { withLab } from '../support/with-lab.js';
import { BRIDGE, kindsOn, type Kind } from './kinds.js';

const GUESTS = 4;
const TIMES = SHORT ? 3 : 20;
/** Longer than it takes to be allowed another repair at once. */
const APART_MS = 120;
/** For flows, ms. */
const BAR_MS = 100;

/** From a change by another hand, on a connection of its own, to its repair on a real switch. */
export const drift = needing('lab', async () => {
  return withLab({ hosts: ['h1'] }, async (lab) => {
    const host = lab.host('h1');
    const agent = new LabAgent(host);
    const hand = new OvsDriver({ rundir: host.rundir, datapathType: 'netdev' });
    try {
      await settle(lab, agent);
      await hand.start();
      const bridge = await until('the other hand', async () => {
        const found = (await hand.read()).bridges[0];
        return (found?.flows.length ?? 0) > 0 ? found : undefined;
      });
      const figures: Figure[] = [];
      for (const kind of kindsOn(bridge, hand, host)) figures.push(await measure(agent, kind));
      return figures;
    } finally {
      await hand.close();
      await agent.stop();
    }
  });
});

async function settle(lab: Lab, agent: LabAgent): Promise<void> {
  await agent.start();
  await agent.become(documentsOf(1, []));
  const guests = Array.from({ length: GUESTS }, (_, i) => i + 1);
  for (const n of guests) await lab.addVm('h1', { bridge: BRIDGE, profile: 'web', ...numbered(n) });
  const bindings = guests.map((n) => ({ n }));
  await agent.become(documentsOf(2, bindings));
}

async function measure(agent: LabAgent, { what, repair, change }: Kind): Promise<Figure> {
  const times: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    await pause(APART_MS);
    agent.steps.splice(0);
    const began = performance.now();
    await change();
    const repaired = await until(what, () =>
      Promise.resolve(agent.steps.find(({ step }) => step.kind === repair)),
    );
    times.push(repaired.at - began);
  }
  const it = spread(times);
  const target = what.startsWith('flow') ? atMost(BAR_MS, it.p99, 'p99 ') : undefined;
  return {
    bench: 'drift',
    what: `${what}, to its repair`,
    unit: 'ms',
    spread: it,
    ...(target && { target }),
  };
}
