import { match, toAgent } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { uplinkMeter } from '../meters.js';

/** Frames of the health check: a type for local experiments, and whom they are for when they are for all hosts. */
export const PROBE = { etherType: 0x88b6, group: 0x03_50_54_48_43_01n } as const;

/** What is read of a probe; the rest is only there for its length. */
const READ = 1_024;
/** All hosts speak at about the same time. */
const RATE = { unit: 'pktps', rate: 200, burst: 400 } as const;

/**
 * Probes for all hosts, and answers to this one by its uplinks' addresses, go to the agent and nowhere else: what is for
 * one uplink may come by another, where the other end takes them for one link. No port sends any: they would be
 * believed by nobody, and might keep others from being heard.
 */
export const health: Feature = {
  name: 'health',
  bridge: ({ uplinks, heard }, out) => {
    if (!heard.includes('probe')) return;
    const type = { eth_type: PROBE.etherType };
    out.flow(TABLES.GUARD_IN, 350, match(type), []);
    const macs = new Set(uplinks.flatMap(({ mac }) => mac ?? []));
    for (const { key } of uplinks) {
      const id = uplinkMeter(key, 'probe');
      out.meter({ id, ...RATE });
      const tell = toAgent({ kind: 'probe', slot: key, epoch: 0 }, { maxLen: READ, meter: id });
      for (const eth_dst of [PROBE.group, ...macs])
        out.flow(TABLES.UPLINK_IN, 200, match({ [REG.uplink]: key, ...type, eth_dst }), [tell], key);
    }
  },
};
