import { TABLES } from '#compiler';
import { OvsDriver } from '#ovs';
import { documentsOf, LabAgent } from '../lab/agent.js';
import { Lab, numbered, until } from '../lab/net.js';
import { type Bench, type Figure } from './support/figure.js';
import { spread } from './support/stats.js';

const BRIDGE = 'pt-lan';
const GUESTS = 4;
const TIMES = 20;
/** Longer than it takes to be allowed another repair at once. */
const APART_MS = 120;

/** From a change by another hand, on a connection of its own, to its repair on a real switch. */
export const drift: Bench = async (say) => {
  const obstacle = process.env['PORTOLAN_NO_LAB'] ?? '';
  if (obstacle !== '') {
    say(`left out: ${obstacle}`);
    return [];
  }
  const lab = await Lab.create({ hosts: ['h1'] });
  const host = lab.host('h1');
  const agent = new LabAgent(host);
  const hand = new OvsDriver({ rundir: host.rundir, datapathType: 'netdev' });
  try {
    await agent.start();
    await agent.become(documentsOf(1, []));
    for (let n = 1; n <= GUESTS; n++)
      await lab.addVm('h1', { bridge: BRIDGE, profile: 'web', ...numbered(n) });
    await agent.become(
      documentsOf(
        2,
        Array.from({ length: GUESTS }, (_, i) => ({ n: i + 1 })),
      ),
    );
    await hand.start();
    await until('the other hand', async () => {
      const { bridges } = await hand.read();
      return (bridges[0]?.flows.length ?? 0) > 0 ? true : undefined;
    });
    return await measure(agent, hand, host);
  } finally {
    await hand.close();
    await agent.stop();
    await lab.destroy();
  }
};

async function measure(agent: LabAgent, hand: OvsDriver, host: LabAgent['host']): Promise<readonly Figure[]> {
  const bridge = (await hand.read()).bridges[0];
  const flow = bridge?.flows.find((f) => f.flow.table === TABLES.SECURITY && f.flow.actions.length > 0)?.flow;
  const group = bridge?.groups[0];
  const meter = bridge?.meters[0];
  if (flow === undefined || group === undefined || meter === undefined)
    throw new Error('the bridge lacks what is to be changed');
  const kinds: readonly (readonly [what: string, kind: string, change: () => Promise<unknown>])[] = [
    [
      'flow deleted',
      'bundle',
      () => hand.apply({ kind: 'bundle', bridge: BRIDGE, mods: [{ op: 'delete-flow', flow }] }),
    ],
    [
      'flow changed',
      'bundle',
      () =>
        hand.apply({
          kind: 'bundle',
          bridge: BRIDGE,
          mods: [{ op: 'add-flow', flow: { ...flow, actions: [] } }],
        }),
    ],
    [
      'flow added',
      'bundle',
      () =>
        hand.apply({
          kind: 'bundle',
          bridge: BRIDGE,
          mods: [
            {
              op: 'add-flow',
              flow: { table: TABLES.CLASSIFY, priority: 65_000, match: {}, actions: [], cookie: 0n },
            },
          ],
        }),
    ],
    [
      'group changed',
      'bundle',
      () =>
        hand.apply({
          kind: 'bundle',
          bridge: BRIDGE,
          mods: [{ op: 'modify-group', group: { ...group, type: 'all', buckets: [] } }],
        }),
    ],
    [
      'meter deleted',
      'meters',
      () => hand.apply({ kind: 'meters', bridge: BRIDGE, mods: [{ op: 'delete', id: meter.id }] }),
    ],
    ['tag set (ovs-vsctl)', 'ovsdb', () => host.vsctl('--no-wait', 'set', 'Port', 'vnic1-0', 'tag=7')],
    [
      'controller set (ovs-vsctl)',
      'ovsdb',
      () => host.vsctl('--no-wait', 'set-controller', BRIDGE, 'tcp:127.0.0.1:1'),
    ],
  ];
  const figures: Figure[] = [];
  for (const [what, kind, change] of kinds) {
    const times: number[] = [];
    for (let i = 0; i < TIMES; i++) {
      await new Promise((resolve) => setTimeout(resolve, APART_MS));
      agent.steps.splice(0);
      const began = performance.now();
      await change();
      const repaired = await until(what, () =>
        Promise.resolve(agent.steps.find((s) => s.step.kind === kind)),
      );
      times.push(repaired.at - began);
    }
    figures.push({ bench: 'drift', what: `${what}, to its repair`, unit: 'ms', spread: spread(times) });
  }
  figures.push(await restarts(agent, host));
  return figures;
}

/** The switch killed; from its first answer to the last flow. */
async function restarts(agent: LabAgent, host: LabAgent['host']): Promise<Figure> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    await host.killVswitchd();
    agent.steps.splice(0);
    const began = performance.now();
    await host.startVswitchd();
    const back = await until('the flows', () =>
      Promise.resolve(agent.steps.find((s) => s.step.kind === 'bundle')),
    );
    times.push(back.at - began);
  }
  return {
    bench: 'drift',
    what: 'ovs-vswitchd killed: from its start to all flows',
    unit: 'ms',
    spread: spread(times),
  };
}
