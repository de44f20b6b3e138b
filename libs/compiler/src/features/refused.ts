import { MEANING_MASK, OBJECT_MASK, type FlowStats } from '#openflow';
import { match, TOKENS } from '../pipeline/actions.js';
import { cookieOf } from '../pipeline/cookies.js';
import { type Feature } from '../pipeline/feature.js';
import { TABLES } from '../pipeline/tables.js';

/**
 * What an uplink has no business to bring: frames from a MAC whose port is active here (forged, or its own that came round
 * by another uplink), and frames to a token's address that is not awaited. Dropped by flows of their own, an uplink each,
 * for the switch's counts of them.
 */
export const refused: Feature = {
  name: 'refused',
  bridge: ({ uplinks }, out) => {
    for (const { key, ofport } of uplinks) {
      const came = { in_port: ofport };
      // Behind the traps of ports that are armed here.
      out.flow(TABLES.TRAP, 150, match({ ...came, eth_dst: TOKENS }), [], key);
      out.flow(TABLES.REVERSE_GATE, 50, match(came), [], key);
    }
  },
};

/** What to ask a switch for, of these flows alone. */
export const REFUSED_FLOWS = {
  cookie: cookieOf('refused', 0, 0),
  mask: MEANING_MASK & ~OBJECT_MASK,
} as const;

/** Frames by the number of the uplink's device. */
export function refusedFrames(flows: readonly FlowStats[]): ReadonlyMap<number, number> {
  const byDevice = new Map<number, number>();
  for (const { flow, packets } of flows) {
    const ofport = Number(flow.match.in_port?.value);
    byDevice.set(ofport, (byDevice.get(ofport) ?? 0) + Number(packets));
  }
  return byDevice;
}
