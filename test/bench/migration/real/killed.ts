import { type BenchCluster } from '../../support/cluster.js';
import { type Figure } from '../../support/figure.js';
import { dropping, manifest } from '../../support/manifest.js';
import { SHORT } from '../../support/short.js';
import { spread } from '../../support/stats.js';
import { untilRealised } from '../../support/until.js';
import { GROUP, type Progress, SWITCH } from '../our-cluster.js';

const TIMES = SHORT ? 1 : 5;
/** Where the guest's group has ports. */
const CONCERNED = 2;

interface Ends {
  readonly source: string;
  readonly destination: string;
}

/**
 * The agent of either end killed (SIGKILL) and started again at once, as what runs services does: until its switch
 * carries out a change that was made since, and until a move asked for since is prepared. No move is carried out.
 */
export async function agentsKilled(
  it: BenchCluster,
  progress: Progress,
  ends: Ends,
): Promise<readonly Figure[]> {
  const changed: number[] = [];
  const prepared: Record<keyof Ends, number[]> = { source: [], destination: [] };
  for (let n = 0; n < TIMES; n++) {
    const began = Date.now();
    await restart(it, ends.source);
    const body = manifest({ groups: [{ name: GROUP, switch: SWITCH, policy: dropping(n) }] });
    await untilRealised(it.cluster.api, `agent-killed-${n}`, body, CONCERNED);
    changed.push(Date.now() - began);
    await progress.realised();
    for (const end of ['source', 'destination'] as const) {
      const died = Date.now();
      await restart(it, ends[end]);
      await progress.begin(ends.destination);
      prepared[end].push((await progress.preparedAt()) - died);
      await progress.abort();
    }
  }
  const figure = (what: string, times: readonly number[]): Figure => ({
    bench: 'migration',
    what,
    unit: 'ms',
    spread: spread(times),
  });
  return [
    figure('agent of the guest’s host killed: until a change made since is realised', changed),
    figure('the same: until a move asked for since is prepared', prepared.source),
    figure('agent of the destination killed: the same', prepared.destination),
  ];
}

async function restart({ cluster }: BenchCluster, host: string): Promise<void> {
  await cluster.children.kill(`host-agent-${host}`);
  await cluster.startAgent(host);
}
