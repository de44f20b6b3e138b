import { TABLES } from '#compiler';
import { type BridgeObservation, type BundleMod, type MeterMod, type Step } from '#openflow';
import { type OvsDriver } from '#ovs';
import { type LabHost } from '../../lab/host.js';

export const BRIDGE = 'pt-lan';
/** A guest's. */
const PORT = 'vnic1-0';

/** What another hand may do to a bridge. */
export interface Kind {
  readonly what: string;
  /** The step that puts it right. */
  readonly repair: Step['kind'];
  change(): Promise<unknown>;
}

/** Every kind that is watched: of flows, groups and meters over a connection of its own, of rows by `ovs-vsctl`. */
export function kindsOn(bridge: BridgeObservation, hand: OvsDriver, host: LabHost): readonly Kind[] {
  const flow = bridge.flows.find((f) => f.flow.table === TABLES.SECURITY && f.flow.actions.length > 0)?.flow;
  const group = bridge.groups[0];
  const meter = bridge.meters[0];
  if (flow === undefined || group === undefined || meter === undefined)
    throw new Error('the bridge lacks what is to be changed');
  const foreign = { table: TABLES.CLASSIFY, priority: 65_000, match: {}, actions: [], cookie: 0n };
  const bundle = (what: string, mod: BundleMod): Kind => ({
    what,
    repair: 'bundle',
    change: () => hand.apply({ kind: 'bundle', bridge: BRIDGE, mods: [mod] }),
  });
  const meters = (what: string, mod: MeterMod): Kind => ({
    what,
    repair: 'meters',
    change: () => hand.apply({ kind: 'meters', bridge: BRIDGE, mods: [mod] }),
  });
  const rows = (what: string, ...words: readonly string[]): Kind => ({
    what: `${what} (ovs-vsctl)`,
    repair: 'ovsdb',
    change: () => host.vsctl('--no-wait', ...words),
  });
  return [
    bundle('flow deleted', { op: 'delete-flow', flow }),
    bundle('flow changed', { op: 'add-flow', flow: { ...flow, actions: [] } }),
    bundle('flow added', { op: 'add-flow', flow: foreign }),
    bundle('group changed', { op: 'modify-group', group: { ...group, type: 'all', buckets: [] } }),
    bundle('group deleted', { op: 'delete-group', id: group.id }),
    meters('meter changed', { op: 'modify', meter: { ...meter, rate: 5 } }),
    meters('meter deleted', { op: 'delete', id: meter.id }),
    rows('port tag set', 'set', 'Port', PORT, 'tag=7'),
    rows('mark of a port changed', 'set', 'Port', PORT, 'external_ids:portolan-port=other'),
    rows('bridge setting changed', 'set', 'Bridge', BRIDGE, 'mcast_snooping_enable=true'),
    rows('mark of the bridge removed', 'remove', 'Bridge', BRIDGE, 'external_ids', 'portolan-switch'),
    rows('controller set', 'set-controller', BRIDGE, 'tcp:127.0.0.1:1'),
  ];
}
