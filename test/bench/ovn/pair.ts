import { type Lab } from '../../lab/net.js';
import { withLab } from '../support/with-lab.js';
import { withOurs } from './our-lab.js';
import { type OurSide } from './our-side.js';
import { OvnSide } from './ovn-side.js';

/** Both sides in place, with the same hosts and ports, each on switches of its own. */
export interface Pair {
  readonly ours: OurSide;
  readonly peer: OvnSide;
  readonly labs: { readonly ours: Lab; readonly peer: Lab };
}

/** Runs `work` with so many ports on each host of both sides. `watched`: ours, by a witness of when flows are installed. */
export function withPair<T>(
  hosts: readonly string[],
  portsEach: number,
  say: (line: string) => void,
  work: (pair: Pair) => Promise<T>,
  watched = false,
): Promise<T> {
  return withLab({ hosts }, (ours) =>
    withLab({ hosts, uplinks: 0 }, async (theirs) => {
      const peer = await OvnSide.start(theirs, hosts, portsEach, true, say);
      try {
        const labs = { ours, peer: theirs };
        const both = (side: OurSide) => work({ ours: side, peer, labs });
        return await withOurs(ours, hosts, portsEach, say, both, watched);
      } finally {
        await peer.stop();
      }
    }),
  );
}
