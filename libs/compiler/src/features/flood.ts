import { type Policy } from '#domain';
import { type Action } from '#openflow';
import { copyTo, goto, match, MULTICAST, resubmit, set } from '../pipeline/actions.js';
import { type Emitter } from '../pipeline/emitter.js';
import { type Feature } from '../pipeline/feature.js';
import { LOOKUP_KEY, REG } from '../pipeline/registers.js';
import { segmentMatches } from '../pipeline/segments.js';
import { TABLES } from '../pipeline/tables.js';
import { regions } from '../ranges.js';
import { sharedMacs } from '../resolve/macs.js';
import { isPlugged, type SteadyPlan, type PortPlan } from '../resolve/plan.js';
import { spread, spreadIn, type Kind } from './spread.js';

type Port = PortPlan & { readonly ofport: number };

/**
 * Broadcast and multicast go to every port of the segment; unicast for nobody here to the ports that ask for it
 * (promiscuous; MAC changes, whose guest may listen to another MAC; learning, if it says so); unicast for a port here also to the promiscuous
 * ones; unicast for a shared MAC to all that share it, since any of them may be the one that uses it just now. Each
 * copy stands alone: see `copyTo`. From an uplink, only ports pinned to it: see `teaming`.
 */
export const flood: Feature = {
  name: 'flood',
  bridge: (bridge, out) => {
    const ports = bridge.ports.filter(isPlugged);
    const curious = ports.filter(({ policy }) => hearsUnknown(policy));
    copies(out);
    toAll(bridge, ports, { table: TABLES.FORWARD, fields: { eth_dst: MULTICAST } }, 100, out);
    toAll(bridge, curious, { table: TABLES.UNKNOWN, fields: {} }, 50, out);
    for (const mac of new Set(ports.flatMap(sharedMacs))) {
      const receivers = ports.filter((p) => curious.includes(p) || sharedMacs(p).includes(mac));
      toAll(bridge, receivers, { table: TABLES.FORWARD, fields: { eth_dst: mac } }, 100, out);
    }
    snoop(
      ports.filter((p) => p.policy.promiscuous),
      out,
    );
  },
};

const hearsUnknown = ({ promiscuous, macChanges, macLearning }: Policy): boolean =>
  promiscuous || macChanges || macLearning?.floodUnknown === true;

/** One copy: it reaches its port if that is active here. */
function copies(out: Emitter): void {
  const key: Action = { kind: 'move', src: { ...LOOKUP_KEY, field: REG.to }, dst: LOOKUP_KEY };
  const ask = [key, set(REG.active, 0), resubmit(TABLES.ACTIVITY), goto(TABLES.DELIVER_GATE)];
  out.flow(TABLES.DELIVER, 0, {}, ask);
  out.flow(TABLES.DELIVER_GATE, 100, match({ [REG.active]: { value: 1, mask: 1 } }), [
    goto(TABLES.DISPATCH_OUT),
  ]);
}

/** To these ports, of those that other ports of the host send, and of those that uplinks bring. */
function toAll(
  bridge: SteadyPlan,
  ports: readonly Port[],
  kind: Pick<Kind, 'table' | 'fields'>,
  inner: number,
  out: Emitter,
): void {
  const receivers = ports.map((port) => ({ port, ranges: port.ranges }));
  const senders = bridge.ports.filter(isPlugged);
  spread(receivers, { ...kind, priority: 150 }, out, senders.length > 1);
  spreadIn(receivers, inner, kind.fields, out);
}

/** A frame for a port that is active here: first the copies, then the port; the one it is for gets one only. */
function snoop(promiscuous: readonly Port[], out: Emitter): void {
  const deliver = goto(TABLES.DISPATCH_OUT);
  out.flow(TABLES.SNOOP, 0, {}, [deliver]);
  for (const { ranges, members } of regions(promiscuous, (p) => p.ranges)) {
    for (const segment of segmentMatches(ranges)) {
      const fields = { [REG.segment]: segment };
      out.flow(TABLES.SNOOP, 100, match(fields), [...members.map((m) => copyTo(m.slot)), deliver]);
      for (const own of members) {
        const others = members.filter((m) => m !== own).map((m) => copyTo(m.slot));
        out.flow(TABLES.SNOOP, 200, match({ ...fields, [REG.to]: own.slot }), [...others, deliver], own.slot);
      }
    }
  }
}
