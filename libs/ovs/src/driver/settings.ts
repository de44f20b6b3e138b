import { sameExports, type BridgeExports, type BridgeObservation, type BridgeSettings } from '#openflow';
import { type KeptSettings, type PortSettings } from '#openflow';
import { ovsdbSet } from '../ovsdb/atoms.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type BridgeRow, type InterfaceRow, type PortRow } from '../ovsdb/rows.js';
import { type DatapathType } from './config.js';
import { findBridge, isOwnPort, PLUGGED_KEY, type Found } from './names.js';

/** What was set in a bridge's row, and whom it tells of samples; each left out where it is nothing. */
export function describeSettings(
  cache: RowCache,
  name: string,
  datapathType: DatapathType,
): Pick<BridgeObservation, 'settings' | 'exports'> {
  const found = findBridge(cache, name);
  if (found === undefined) return {};
  const exports = exportsOf(cache, found);
  return {
    settings: settingsOf(cache, found.row, datapathType),
    ...(sameExports(exports, {}) ? {} : { exports }),
  };
}

function settingsOf(cache: RowCache, row: BridgeRow, expected: DatapathType): BridgeSettings {
  const { protocols, otherConfig } = row;
  const found = row.datapathType === '' ? 'system' : row.datapathType;
  const mtus = mtusOf(cache, row);
  const controllers = row.controllers.flatMap((id) => cache.get('Controller', id)?.target ?? []).sort();
  const mirrors = row.mirrors.flatMap((id) => cache.get('Mirror', id)?.name ?? []).sort();
  return {
    ...(found === expected ? {} : { datapathType: { expected, found } }),
    ...(Object.keys(mtus).length === 0 ? {} : { mtus }),
    protocols,
    ...(Object.keys(otherConfig).length === 0 ? {} : { otherConfig }),
    ...(controllers.length === 0 ? {} : { controllers }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(row.mcastSnooping ? { mcastSnooping: true } : {}),
    ...(row.stp ? { stp: true } : {}),
    ...(row.rstp ? { rstp: true } : {}),
    ...(row.netflow ? { netflow: true } : {}),
  };
}

/** What was asked for of the devices that the agent plugged. */
function mtusOf(cache: RowCache, row: BridgeRow): Readonly<Record<string, number | null>> {
  const ports = row.ports.flatMap((id) => cache.get('Port', id) ?? []);
  const own = ports.filter((port) => port.name !== row.name && isOwnPort(row, port));
  const devices = own.flatMap((port) => port.interfaces.flatMap((id) => cache.get('Interface', id) ?? []));
  return Object.fromEntries(devices.map(({ name, mtuRequest }) => [name, mtuRequest ?? null]));
}

function exportsOf(cache: RowCache, { uuid, row }: Found<BridgeRow>): BridgeExports {
  const ipfix = row.ipfix === undefined ? undefined : cache.get('IPFIX', row.ipfix);
  const sflow = row.sflow === undefined ? undefined : cache.get('sFlow', row.sflow);
  const sets = [...cache.rows('Flow_Sample_Collector_Set')]
    .filter(([, set]) => set.bridge === uuid)
    .map(([, set]) => {
      const told = set.ipfix === undefined ? undefined : cache.get('IPFIX', set.ipfix);
      return { id: set.id, ipfix: told ?? { targets: [] } };
    })
    .sort((a, b) => a.id - b.id);
  return {
    ...(ipfix === undefined ? {} : { ipfix }),
    ...(sflow === undefined ? {} : { sflow }),
    ...(sets.length === 0 ? {} : { collectorSets: sets }),
  };
}

/** What was set in the rows of a port and its interface; undefined for nothing. */
export function portSettings(port: PortRow, row: InterfaceRow): PortSettings | undefined {
  const { tag, trunks, vlanMode, qos, bondMode, lacp, otherConfig } = port;
  const isOwn = port.externalIds[PLUGGED_KEY] === 'agent';
  const settings: PortSettings = {
    ...(tag === undefined ? {} : { tag }),
    ...(trunks.length === 0 ? {} : { trunks }),
    ...(vlanMode === undefined ? {} : { vlanMode }),
    ...(qos ? { qos: true } : {}),
    ...(bondMode === undefined ? {} : { bondMode }),
    ...(lacp === undefined ? {} : { lacp }),
    ...(Object.keys(otherConfig).length === 0 ? {} : { otherConfig }),
    ...(Object.keys(row.otherConfig).length === 0 ? {} : { deviceConfig: row.otherConfig }),
    ...(row.policingRate === 0 ? {} : { ingressPolicingRate: row.policingRate }),
    ...(row.policingBurst === 0 ? {} : { ingressPolicingBurst: row.policingBurst }),
    ...(Object.keys(row.options).length === 0 ? {} : { options: row.options }),
    ...(Object.keys(row.lldp).length === 0 ? {} : { lldp: row.lldp }),
    ...(isOwn && row.externalIds[PLUGGED_KEY] !== 'agent' ? { unmarked: true } : {}),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

const atMostOne = (value: number | string | undefined) => ovsdbSet(value === undefined ? [] : [value]);

/** The columns of a port's row that hold these settings. QoS names rows that may be gone, so it is cleared or left, never set. */
export const portColumns = ({ tag, trunks = [], vlanMode, qos, bondMode, lacp }: KeptSettings) => ({
  tag: atMostOne(tag),
  trunks: ovsdbSet(trunks),
  vlan_mode: atMostOne(vlanMode),
  bond_mode: atMostOne(bondMode),
  lacp: atMostOne(lacp),
  ...(qos === true ? {} : { qos: ovsdbSet([]) }),
});
