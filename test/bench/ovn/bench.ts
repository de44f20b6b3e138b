import { needing, type Figure } from '../support/figure.js';
import { compare, type Peer, type Round } from './compare.js';
import { withPair, type Pair } from './pair.js';

const SIZES = (process.env['PORTOLAN_BENCH_HOSTS'] ?? '2,4,8').split(',').map(Number);
const PORTS_EACH = 10;
const MOST = 0.5;
/** Services that have just started run code that is not compiled yet; OVN's is. */
const ROUNDS: readonly Round[] = [
  { change: 'rule', warmUp: 10, ourWarmUp: 150, times: 40 },
  { change: 'portSecurity', warmUp: 10, ourWarmUp: 80, times: 30 },
  { change: 'security', warmUp: 5, ourWarmUp: 40, times: 20 },
  { change: 'batch', warmUp: 5, ourWarmUp: 30, times: 20 },
];

/**
 * Both on real switches: so many hosts of ours, each an agent and an Open vSwitch, and as many of OVN's, each an
 * ovn-controller and an Open vSwitch. What stands still takes next to nothing of the processor.
 */
export const ovn = needing('ovn', async (say) => {
  const figures: Figure[] = [];
  for (const size of SIZES) figures.push(...(await onHosts(size, say)));
  return figures;
});

async function onHosts(size: number, say: (line: string) => void): Promise<readonly Figure[]> {
  const names = Array.from({ length: size }, (_, i) => `h${i + 1}`);
  const measure = async ({ ours, peer }: Pair): Promise<readonly Figure[]> => {
    const figures: Figure[] = [];
    const peers: readonly Peer[] = [{ side: peer.byCommand, most: MOST }, { side: peer }];
    for (const round of ROUNDS) {
      say(`${size} hosts: ${round.change}`);
      figures.push(...(await compare(ours, peers, round, `${size} hosts`)));
    }
    return figures;
  };
  return withPair(names, PORTS_EACH, say, measure, true);
}
