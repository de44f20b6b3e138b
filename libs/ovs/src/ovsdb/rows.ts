import { readInteger, readMap, readReferences, readText, type Report } from './atoms.js';
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
}

export interface PortRow {
  readonly name: string;
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
}

export interface Rows {
  readonly Open_vSwitch: SwitchRow;
  readonly Bridge: BridgeRow;
  readonly Port: PortRow;
  readonly Interface: InterfaceRow;
}

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
  }),
  Port: (row, report) => ({
    name: readText(row['name'], 'name', report) ?? '',
    interfaces: readReferences(row['interfaces'], 'interfaces', report),
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
    };
  },
};

const COUNTER = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;
const MTU = [0, 1_000_000] as const;

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
