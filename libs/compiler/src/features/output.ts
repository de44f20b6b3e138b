import { type Action, type FieldName } from '#openflow';
import { BROADCAST, match, meter, MULTICAST, output, tagSegment, type Wanted } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { countOut } from '../meters.js';
import { isPlugged } from '../resolve/plan.js';
import { nativeOf } from '../resolve/segments.js';

type Fields = Partial<Record<FieldName, Wanted>>;

/** The end of the way to a port: count by class, tag on trunks (not the native VLAN), output. Shaping came before, so only what passed counts. */
export const deliver: Feature = {
  name: 'output',
  port: (port, out) => {
    if (!isPlugged(port)) return;
    const { slot, ofport } = port;
    const ids = countOut(slot);
    const { vlan } = port.policy;
    const write = (fields: Fields, priority: number, tag: readonly Action[]): void => {
      const actions = (id: number) => [meter(id), ...tag, output(ofport)];
      const at = (more: number, dst: Fields, id: number) =>
        out.flow(TABLES.OUTPUT, priority + more, match({ ...fields, ...dst }), actions(id), slot);
      at(20, { eth_dst: BROADCAST }, ids.broadcast);
      at(10, { eth_dst: MULTICAST }, ids.multicast);
      at(0, {}, ids.unicast);
    };
    const to = { [REG.to]: slot };
    write(to, 100, vlan.mode === 'trunk' ? tagSegment : []);
    const native = vlan.mode === 'trunk' ? nativeOf(vlan) : undefined;
    if (native !== undefined) write({ ...to, [REG.segment]: native }, 200, []);
  },
};
