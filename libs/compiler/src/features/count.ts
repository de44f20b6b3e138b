import { COUNT_RATE } from '#openflow';
import { BROADCAST, goto, match, meter, MULTICAST, set } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { countIn, countOut } from '../meters.js';
import { isPlugged, type PortPlan } from '../resolve/plan.js';

/**
 * Counts what a port sends before anything else looks at it, so what policy drops is counted too. Frames to the port
 * are counted by `output`, with the meters made here. A retired port keeps its meters and is not counted on.
 */
export const count: Feature = {
  name: 'count',
  port: (port, out) => {
    meters(port, out);
    classify(port, out);
  },
  closed: (port, out) => {
    meters(port, out);
    if (port.role !== 'retired') classify(port, out);
  },
};

function meters({ slot }: PortPlan, out: Emitter): void {
  for (const { unicast, multicast, broadcast } of [countIn(slot), countOut(slot)]) {
    for (const id of [unicast, multicast, broadcast]) out.meter({ id, unit: 'pktps', rate: COUNT_RATE });
  }
}

function classify(port: PortPlan, out: Emitter): void {
  if (!isPlugged(port)) return;
  const { slot, ofport } = port;
  const ids = countIn(slot);
  const actions = (id: number) => [
    meter(id),
    set(REG.from, slot),
    ...(port.team === undefined ? [] : [set(REG.team, port.team.id)]),
    goto(TABLES.SHAPE_IN_PEAK),
  ];
  const table = TABLES.CLASSIFY;
  out.flow(table, 120, match({ in_port: ofport, eth_dst: BROADCAST }), actions(ids.broadcast), slot);
  out.flow(table, 110, match({ in_port: ofport, eth_dst: MULTICAST }), actions(ids.multicast), slot);
  out.flow(table, 100, match({ in_port: ofport }), actions(ids.unicast), slot);
}
