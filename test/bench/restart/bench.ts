import { withPair, type Pair } from '../ovn/pair.js';
import { atMost, needing, type Figure } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { agentGone, databaseGone, switchGone } from './faults.js';
import { flowsOn, HOST, ports, PORTS, rigsOf, works, type Rig } from './rig.js';
import { Stream } from './stream.js';

const SIZES = SHORT ? [1_000] : [1_000, 10_000, 40_000];
const TURNS = SHORT ? 2 : 8;
/** Of a switch's return, ms. */
const BAR_MS = 200;
/** Services that have just started run code that is not compiled yet. */
const WARM_UP = 20;

type Say = (line: string) => void;

/** One of the two, with the frames that go through its host. */
interface Tried {
  readonly rig: Rig;
  readonly stream: Stream;
}

/** What guests notice when an agent, a switch or its database is killed and comes back, beside OVN's. */
export const restart = needing('ovn', async (say) => {
  const figures: Figure[] = [];
  for (const size of SIZES)
    figures.push(...(await withPair([HOST], PORTS, say, (pair) => onSize(pair, size, say))));
  return figures;
});

async function onSize(pair: Pair, size: number, say: Say): Promise<readonly Figure[]> {
  const rigs = await rigsOf(pair, size);
  const tried: Tried[] = [];
  try {
    for (const rig of rigs) tried.push({ rig, stream: await Stream.on(rig.host.netns, ports) });
    const flows = await Promise.all(rigs.map((rig) => flowsOn(rig)));
    say(`${flows.join(' and ')} flows`);
    for (let n = 0; n < WARM_UP; n++) await works(rigs[0], n);
    const what = `${size} flows`;
    return [
      ...(await agents(tried, what, flows, say)),
      ...(await switches(tried, what, say)),
      ...(await databases(tried, what, say)),
    ];
  } finally {
    for (const { stream } of tried) await stream.close();
  }
}

async function agents(
  tried: readonly Tried[],
  what: string,
  flows: readonly number[],
  say: Say,
): Promise<readonly Figure[]> {
  say(`${what}: agents`);
  const seen = await turnAbout(tried, ({ rig, stream }, n) => agentGone(rig, stream, n));
  return tried.flatMap(({ rig: { name } }, i): Figure[] => {
    const lost = spread(seen[i]!.map((s) => s.lost));
    const target = name === 'ours' ? atMost(0, lost.max, 'all ') : undefined;
    const text = `${what}, agent killed and started: `;
    const gap = spread(seen[i]!.map((s) => s.gapMs));
    const detail = { flows: flows[i] };
    return [
      {
        ...figure(`${text}packets lost, ${name}`, 'packets', lost, detail),
        ...(target && { target }),
      },
      figure(`${text}longest gap, ${name}`, 'ms', gap),
    ];
  });
}

async function switches(tried: readonly Tried[], what: string, say: Say): Promise<readonly Figure[]> {
  say(`${what}: switches`);
  const seen = await turnAbout(tried, ({ rig, stream }, n) => switchGone(rig, stream, n));
  return tried.flatMap(({ rig: { name } }, i): Figure[] => {
    const text = `${what}, ovs-vswitchd killed: from its socket's return to`;
    const detail = { startMs: spread(seen[i]!.map((s) => s.startMs)) };
    return (['trafficMs', 'flowsMs'] as const).map((key) => {
      const it = spread(seen[i]!.map((s) => s[key]));
      const goal = key === 'trafficMs' ? 'traffic' : 'all flows';
      const target = name === 'ours' ? atMost(BAR_MS, it.max, 'all ') : undefined;
      return { ...figure(`${text} ${goal}, ${name}`, 'ms', it, detail), ...(target && { target }) };
    });
  });
}

async function databases(tried: readonly Tried[], what: string, say: Say): Promise<readonly Figure[]> {
  say(`${what}: databases`);
  const seen = await turnAbout(tried, ({ rig, stream }, n) => databaseGone(rig, stream, n));
  const text = `${what}, ovsdb-server killed: `;
  const each = tried.map(({ rig: { name } }, i): Figure => {
    const detail = { packetsLost: spread(seen[i]!.map((s) => s.lost)) };
    const it = spread(seen[i]!.map((s) => s.trafficMs));
    return figure(`${text}from its socket's return to traffic, ${name}`, 'ms', it, detail);
  });
  const repair = spread(seen[0]!.map((s) => s.repairMs));
  return [...each, figure(`${text}from traffic to a tag repaired, ours`, 'ms', repair)];
}

/** What each of them had, by their order. */
async function turnAbout<T>(
  tried: readonly Tried[],
  once: (one: Tried, n: number) => Promise<T>,
): Promise<readonly T[][]> {
  const seen: T[][] = tried.map(() => []);
  const order = tried.map((_, i) => i);
  for (let n = 0; n < TURNS; n++)
    for (const i of n % 2 === 0 ? order : [...order].reverse()) seen[i]!.push(await once(tried[i]!, n));
  return seen;
}

const figure = (
  what: string,
  unit: string,
  of: Figure['spread'],
  detail?: Readonly<Record<string, unknown>>,
): Figure => ({ bench: 'restart', what, unit, spread: of, ...(detail && { detail }) });
