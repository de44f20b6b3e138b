import { type Policy } from '#domain';
import { type Action } from '#openflow';
import { bitsAre, match, meter, setBits, TOKENS } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { FLAG, REG } from '../pipeline/registers.js';
import { isLimited, nextIn, nextOut, nextUp } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { bucket, classMeter, portMeter } from '../meters.js';

/** Numbers of traffic classes. What a port says nothing of is a guest's. */
export const CLASSES = { vm: 0, management: 1, migration: 2, storage: 3 } as const;

/** What may pass at once: 50 ms of the rate. */
const BURST_MS = 50;

/**
 * Limits: of a port in each direction, and of a class on each uplink. Shares and what is reserved need queues, which a
 * switch in userspace does not have: see resolve/unsupported.ts, and the centre, which promises no more than there is.
 */
export const bandwidth: Feature = {
  name: 'bandwidth',
  bridge: (bridge, out) => {
    if (bridge.classLimits.length === 0 || bridge.teams.length === 0) return;
    for (const uplink of bridge.uplinks) {
      const { key } = uplink;
      const next = nextUp(bridge, uplink, 'CLASS_UP');
      out.flow(TABLES.CLASS_UP, 50, match({ [REG.chosen]: key }), [next], key);
      // A token that is dropped leaves the former host of a guest its owner for too long.
      out.flow(TABLES.CLASS_UP, 200, match({ [REG.chosen]: key, eth_dst: TOKENS }), [next], key);
      for (const { number, limit } of bridge.classLimits) {
        const id = classMeter(key, number);
        out.meter(bucket(id, limit, burst(limit), bridge.mtu));
        const of = match({
          [REG.chosen]: key,
          [FLAG.trafficClass.field]: bitsAre(FLAG.trafficClass, number),
        });
        out.flow(TABLES.CLASS_UP, 100, of, [meter(id), next], key);
      }
    }
  },
  port: (port, out, { mtu }) => {
    const { slot } = port;
    const said = port.policy.bandwidth;
    if (!isLimited(said)) return;
    const made = (which: 'limitIn' | 'limitOut'): Action => {
      const id = portMeter(slot, which);
      out.meter(bucket(id, said.limit, burst(said.limit), mtu));
      return meter(id);
    };
    const sends = [made('limitIn'), nextIn(port, 'LIMIT_IN')];
    out.flow(TABLES.LIMIT_IN, 100, match({ [REG.from]: slot }), sends, slot);
    const gets = [made('limitOut'), nextOut(port, 'LIMIT_OUT')];
    out.flow(TABLES.LIMIT_OUT, 100, match({ [REG.to]: slot }), gets, slot);
  },
};

/** The class of what a port sends, where it is not the usual one. */
export const classOf = (said: Policy['bandwidth']): Action[] =>
  said === null || said.class === 'vm' ? [] : [setBits(FLAG.trafficClass, CLASSES[said.class])];

const burst = (limit: number): number => (limit * BURST_MS) / 1000;
