import { BEACON } from '../beacon.js';
import { uplinkMeter } from '../meters.js';
import { match, toAgent } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { type UplinkPlan } from '../resolve/plan.js';

/** Frames a second that an uplink brings the agent at most: as many as all others send in all VLANs at once, and some. */
const AT_MOST = 500;
/** Longer than any beacon. */
const MAX_LEN = 128;

/**
 * Beacons: a host's own, from another of its uplinks, go to its agent, and nobody else's anywhere. Whether one is what it
 * looks like is the agent's to judge. No port sends any: by an uplink's MAC, which some may forge, they would come back
 * by another one and keep the agent from concluding anything.
 */
export const beacon: Feature = {
  name: 'beacon',
  bridge: ({ heard, uplinks }, out) => {
    if (!heard.includes('beacon')) return;
    for (const uplink of uplinks) hears(uplink, uplinks, out);
    out.flow(TABLES.UPLINK_IN, 100, match(ANY), []);
    out.flow(TABLES.GUARD_IN, 350, match(ANY), []);
  },
};

const ANY = { eth_dst: BEACON.destination, eth_type: BEACON.type };

function hears({ key }: UplinkPlan, uplinks: readonly UplinkPlan[], out: Emitter): void {
  const meter = uplinkMeter(key, 'beacon');
  out.meter({ id: meter, unit: 'pktps', rate: AT_MOST, burst: AT_MOST });
  const tell = toAgent({ kind: 'beacon', slot: key, epoch: 0 }, { maxLen: MAX_LEN, meter });
  for (const { mac, key: sender } of uplinks) {
    if (mac === undefined || sender === key) continue;
    const from = match({ ...ANY, [REG.uplink]: key, eth_src: mac });
    out.flow(TABLES.UPLINK_IN, 200, from, [tell], key);
  }
}
