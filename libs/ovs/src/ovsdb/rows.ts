import { readInteger, readIntegers, readMap, readReferences } from './atoms.js';
import { optional, readText, readTexts, type Report } from './atoms.js';
import { EXPORT_READERS, type ExportRows } from './export-rows.js';
import { type RawRow } from './schema.js';

export interface SwitchRow {
  readonly bridges: readonly string[];
  readonly nextCfg: number;
  readonly curCfg: number;
  readonly version?: string;
  /** Devices may be polled by threads of their own. */
  readonly dpdk: boolean;
  readonly externalIds: Readonly<Record<string, string>>;
}

export interface BridgeRow {
  readonly name: string;
  readonly datapathType: string;
  readonly failMode: string;
  readonly ports: readonly string[];
  readonly externalIds: Readonly<Record<string, string>>;
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly controllers: readonly string[];
  readonly protocols: readonly string[];
  readonly mirrors: readonly string[];
  readonly mcastSnooping: boolean;
  readonly stp: boolean;
  readonly rstp: boolean;
  readonly netflow: boolean;
  readonly ipfix?: string;
  readonly sflow?: string;
}

export interface PortRow {
  readonly name: string;
  readonly tag?: number;
  readonly trunks: readonly number[];
  readonly vlanMode?: string;
  readonly qos: boolean;
  readonly bondMode?: string;
  readonly lacp?: string;
  /** What LACP and bonds go by. */
  readonly otherConfig: Readonly<Record<string, string>>;
  readonly interfaces: readonly string[];
  readonly externalIds: Readonly<Record<string, string>>;
}

export interface InterfaceRow {
  readonly name: string;
  readonly type: string;
  /** Absent while the switch gave none, and when it could not open the device (the column then holds -1). */
  readonly ofport?: number;
  readonly linkUp: boolean;
  readonly mac?: string;
  readonly mtu?: number;
  readonly mtuRequest?: number;
  readonly error?: string;
  readonly externalIds: Readonly<Record<string, string>>;
  readonly policingRate: number;
  readonly policingBurst: number;
  readonly options: Readonly<Record<string, string>>;
  readonly lldp: Readonly<Record<string, string>>;
  /** What LACP goes by. */
  readonly otherConfig: Readonly<Record<string, string>>;
  /** Bit/s. */
  readonly linkSpeed?: number;
  readonly lacpCurrent?: boolean;
}

export interface Rows extends ExportRows {
  readonly Open_vSwitch: SwitchRow;
  readonly Bridge: BridgeRow;
  readonly Port: PortRow;
  readonly Interface: InterfaceRow;
}

/** Keys of `other_config` of ports and interfaces that LACP and bonds go by. */
export const isOfBond = (key: string): boolean => key.startsWith('lacp-') || key.startsWith('bond-');

/** Row readers by table. A value that is wrong is reported and treated as absent; nothing throws. */
export const READERS: { readonly [T in keyof Rows]: (row: RawRow, report: Report) => Rows[T] } = {
  Open_vSwitch: (row, report) => ({
    bridges: readReferences(row['bridges'], 'bridges', report),
    nextCfg: readInteger(row['next_cfg'], 'next_cfg', COUNTER, report) ?? 0,
    curCfg: readInteger(row['cur_cfg'], 'cur_cfg', COUNTER, report) ?? 0,
    dpdk: row['dpdk_initialized'] === true,
    ...optional('version', readText(row['ovs_version'], 'ovs_version', report)),
    externalIds: readMap(row['external_ids'], 'external_ids', report),
  }),
  Bridge: (row, report) => ({
    name: readText(row['name'], 'name', report) ?? '',
    datapathType: readText(row['datapath_type'], 'datapath_type', report) ?? '',
    failMode: readText(row['fail_mode'], 'fail_mode', report) ?? '',
    ports: readReferences(row['ports'], 'ports', report),
    externalIds: readMap(row['external_ids'], 'external_ids', report),
    otherConfig: readMap(row['other_config'], 'other_config', report),
    controllers: readReferences(row['controller'], 'controller', report),
    protocols: readTexts(row['protocols'], 'protocols', report),
    mirrors: readReferences(row['mirrors'], 'mirrors', report),
    mcastSnooping: row['mcast_snooping_enable'] === true,
    stp: row['stp_enable'] === true,
    rstp: row['rstp_enable'] === true,
    netflow: readReferences(row['netflow'], 'netflow', report).length > 0,
    ...optional('ipfix', readReferences(row['ipfix'], 'ipfix', report)[0]),
    ...optional('sflow', readReferences(row['sflow'], 'sflow', report)[0]),
  }),
  Port: (row, report) => ({
    name: readText(row['name'], 'name', report) ?? '',
    interfaces: readReferences(row['interfaces'], 'interfaces', report),
    ...optional('tag', readInteger(row['tag'], 'tag', VLAN, report)),
    trunks: readIntegers(row['trunks'], 'trunks', report),
    ...optional('vlanMode', readText(row['vlan_mode'], 'vlan_mode', report)),
    qos: readReferences(row['qos'], 'qos', report).length > 0,
    ...optional('bondMode', readText(row['bond_mode'], 'bond_mode', report)),
    ...optional('lacp', readText(row['lacp'], 'lacp', report)),
    otherConfig: ofBond(readMap(row['other_config'], 'other_config', report)),
    externalIds: readMap(row['external_ids'], 'external_ids', report),
  }),
  Interface: (row, report) => {
    const ofport = readInteger(row['ofport'], 'ofport', [-1, 65_535], report);
    return {
      name: readText(row['name'], 'name', report) ?? '',
      type: readText(row['type'], 'type', report) ?? '',
      ...optional('ofport', ofport === undefined || ofport < 1 ? undefined : ofport),
      linkUp: readText(row['link_state'], 'link_state', report) === 'up',
      ...optional('mac', readText(row['mac_in_use'], 'mac_in_use', report)),
      ...optional('mtu', readInteger(row['mtu'], 'mtu', MTU, report)),
      ...optional('mtuRequest', readInteger(row['mtu_request'], 'mtu_request', MTU, report)),
      ...optional('error', readText(row['error'], 'error', report)),
      externalIds: readMap(row['external_ids'], 'external_ids', report),
      policingRate: readInteger(row['ingress_policing_rate'], 'ingress_policing_rate', COUNTER, report) ?? 0,
      policingBurst:
        readInteger(row['ingress_policing_burst'], 'ingress_policing_burst', COUNTER, report) ?? 0,
      options: readMap(row['options'], 'options', report),
      lldp: readMap(row['lldp'], 'lldp', report),
      otherConfig: ofBond(readMap(row['other_config'], 'other_config', report)),
      ...optional('linkSpeed', readInteger(row['link_speed'], 'link_speed', COUNTER, report)),
      ...(typeof row['lacp_current'] === 'boolean' ? { lacpCurrent: row['lacp_current'] } : {}),
    };
  },
  ...EXPORT_READERS,
};

const ofBond = (map: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(map).filter(([key]) => isOfBond(key)));

const COUNTER = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
const MTU = [0, 1_000_000] as const;
const VLAN = [0, 4_095] as const;
