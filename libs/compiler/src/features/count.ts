import { COUNT_RATE, type Action } from '#openflow';
import { BROADCAST, goto, match, meter, MULTICAST, set } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextIn } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { countIn, countOut, portMeter } from '../meters.js';
import { classOf } from './bandwidth.js';
import { isPlugged, type PortPlan } from '../resolve/plan.js';

/**
 * Counts what a port sends before anything else looks at it, so what policy drops is counted too. Frames to the port
 * are counted by `output`, with the meters made here, and before policy by `dispatch`. A retired port keeps its meters and is not counted on.
 */
export const count: Feature = {
  name: 'count',
  port: (port, out) => {
    meters(port, out);
    classify(port, out);
    passed(port, out);
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
  // What policy let through of what the port sent, and what there was to hand to it: the differences were dropped.
  for (const which of ['passedIn', 'offeredOut'] as const)
    out.meter({ id: portMeter(slot, which), unit: 'pktps', rate: COUNT_RATE });
}

/** Every way of a frame that policy lets through leads here. */
function passed({ slot }: PortPlan, out: Emitter): void {
  const from = match({ [REG.from]: slot });
  out.flow(TABLES.PASSED_IN, 100, from, [meter(portMeter(slot, 'passedIn')), goto(TABLES.FORWARD)], slot);
}

/** Whose a frame is: the port, how it is carried, and as what. */
export const ofPort = ({ slot, team, policy }: PortPlan): Action[] => [
  set(REG.from, slot),
  ...(team === undefined ? [] : [set(REG.team, team.id)]),
  ...classOf(policy.bandwidth),
];

function classify(port: PortPlan, out: Emitter): void {
  if (!isPlugged(port)) return;
  const { slot, ofport } = port;
  const ids = countIn(slot);
  const actions = (id: number) => [meter(id), ...ofPort(port), nextIn(port, 'CLASSIFY')];
  const table = TABLES.CLASSIFY;
  out.flow(table, 120, match({ in_port: ofport, eth_dst: BROADCAST }), actions(ids.broadcast), slot);
  out.flow(table, 110, match({ in_port: ofport, eth_dst: MULTICAST }), actions(ids.multicast), slot);
  out.flow(table, 100, match({ in_port: ofport }), actions(ids.unicast), slot);
}
