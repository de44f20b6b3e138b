import { MEANING_MASK, OBJECT_MASK, parseCookie, type FlowStats } from '#openflow';
import { goto, match, meter } from '../pipeline/actions.js';
import { cookieOf } from '../pipeline/cookies.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextOut } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { portMeter } from '../meters.js';

/**
 * What crosses the host's edge on behalf of a port. These flows do what `dispatch` and nothing else would do; they stand
 * apart for the switch's own counts of them, which cost a packet nothing. A port without uplinks has none.
 */
export const pnic: Feature = {
  name: 'pnic',
  port: (port, out) => {
    const { slot, team } = port;
    if (team === undefined) return;
    const offered = meter(portMeter(slot, 'offeredOut'));
    const came = match({ [REG.from]: 0, [REG.to]: slot });
    out.flow(TABLES.DISPATCH_OUT, 150, came, [offered, nextOut(port, 'DISPATCH_OUT')], slot);
    out.flow(TABLES.TO_PNIC, 100, match({ [REG.from]: slot }), [goto(TABLES.TO_UPLINK)], slot);
  },
};

/** What to ask a switch for, of these flows alone. */
export const PNIC_FLOWS = { cookie: cookieOf('pnic', 0, 0), mask: MEANING_MASK & ~OBJECT_MASK } as const;

interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** `from` the wire for a port, with the tag that it bore there; from the port `to` the wire, before its tag was put on. */
export interface PnicCounts {
  readonly from: Count;
  readonly to: Count;
}

const NONE: Count = { packets: 0, bytes: 0 };

/** By slot. */
export function pnicCounts(flows: readonly FlowStats[]): ReadonlyMap<number, PnicCounts> {
  const bySlot = new Map<number, PnicCounts>();
  for (const { flow, packets, bytes } of flows) {
    const slot = parseCookie(flow.cookie).object;
    const way = flow.table === TABLES.TO_PNIC ? 'to' : 'from';
    const count = { packets: Number(packets), bytes: Number(bytes) };
    bySlot.set(slot, { ...(bySlot.get(slot) ?? { from: NONE, to: NONE }), [way]: count });
  }
  return bySlot;
}
