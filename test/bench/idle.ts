import { bridgeName } from '#compiler';
import { SWITCH } from './ovn/our-manifest.js';
import { withPair, type Pair } from './ovn/pair.js';
import { needing, type Figure } from './support/figure.js';
import { SHORT } from './support/short.js';
import { round, spread } from './support/stats.js';
import { pause } from './support/until.js';

const HOST = 'h1';
const PORTS = SHORT ? 100 : 500;
const SETTLING_MS = SHORT ? 5_000 : 20_000;
const SAMPLES = SHORT ? 3 : 12;
/** Twice as long as the agent's longest interval: each sample holds a whole reading of the switch. */
const SAMPLE_MS = 10_000;
/** Who is on the host, as each side's processes are called. */
const PROCESSES = ['host-agent', 'ovn-controller'] as const;

/** What nothing costs: the processor time and memory of either side's process on a host whose policy stands still. */
export const idle = needing('ovn', async (say) => {
  return withPair([HOST], PORTS, say, async (pair) => {
    await pause(SETTLING_MS);
    const used: number[][] = [[], []];
    const resident: number[][] = [[], []];
    for (let n = 0; n < SAMPLES; n++) {
      const before = await cpuOf(pair);
      await pause(SAMPLE_MS);
      const [after, held] = [await cpuOf(pair), await memoryOf(pair)];
      for (const i of [0, 1]) {
        used[i]!.push(((after[i]! - before[i]!) * 100_000) / SAMPLE_MS);
        resident[i]!.push(held[i]!);
      }
    }
    const flows = await flowsOf(pair);
    return PROCESSES.flatMap((name, i): Figure[] => {
      const what = `${name}, ${PORTS} ports`;
      const detail = { flows: flows[i] };
      return [
        { bench: 'idle', what: `${what}: of one core`, unit: '%', spread: spread(used[i]!), detail },
        { bench: 'idle', what: `${what}: resident`, unit: 'MB', spread: spread(resident[i]!), detail },
      ];
    });
  });
});

/** Processor seconds so far: ours, theirs. */
const cpuOf = async ({ ours, peer }: Pair): Promise<readonly number[]> => {
  const all = [await ours.cpu(), await peer.cpu()];
  return all.map((used, i) => used[PROCESSES[i]!] ?? NaN);
};

const memoryOf = async ({ ours, peer }: Pair): Promise<readonly number[]> => [
  (await ours.memory(HOST)) ?? NaN,
  (await peer.memory()) ?? NaN,
];

async function flowsOf({ labs }: Pair): Promise<readonly number[]> {
  const count = async (lab: Pair['labs']['ours'], bridge: string) =>
    Number(/flow_count=(\d+)/.exec(await lab.host(HOST).ofctl('dump-aggregate', bridge))?.[1]);
  return [await count(labs.ours, bridgeName(SWITCH)), await count(labs.peer, 'br-int')].map(round);
}
