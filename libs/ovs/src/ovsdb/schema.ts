/**
 * What of the Open_vSwitch database is watched, and how a change of a column is written in `update2`: a `value`
 * column (also an optional one) brings the new value, a `set` the elements that came or went, a `map` the entries
 * that came, went or changed. `Interface.statistics` is not watched: it changes every 5 s for every interface and is
 * of no use to the ledger: counts of devices are asked for over OpenFlow. A column that the switch's schema has not
 * makes it refuse all; so only such as every version of these ten years has (`ingress_policing_kpkts_*` is younger).
 */
export const WATCHED = {
  Open_vSwitch: {
    bridges: 'set',
    next_cfg: 'value',
    cur_cfg: 'value',
    ovs_version: 'value',
    dpdk_initialized: 'value',
    external_ids: 'map',
  },
  Bridge: {
    name: 'value',
    datapath_type: 'value',
    fail_mode: 'value',
    ports: 'set',
    external_ids: 'map',
    other_config: 'map',
    controller: 'set',
    protocols: 'set',
    mirrors: 'set',
    mcast_snooping_enable: 'value',
    stp_enable: 'value',
    rstp_enable: 'value',
    netflow: 'value',
    ipfix: 'value',
    sflow: 'value',
  },
  Port: {
    name: 'value',
    interfaces: 'set',
    external_ids: 'map',
    tag: 'value',
    trunks: 'set',
    vlan_mode: 'value',
    qos: 'value',
    bond_mode: 'value',
    lacp: 'value',
    other_config: 'map',
  },
  Interface: {
    name: 'value',
    type: 'value',
    ofport: 'value',
    link_state: 'value',
    mac_in_use: 'value',
    mtu: 'value',
    mtu_request: 'value',
    error: 'value',
    external_ids: 'map',
    ingress_policing_rate: 'value',
    ingress_policing_burst: 'value',
    options: 'map',
    lldp: 'map',
    other_config: 'map',
    link_speed: 'value',
    lacp_current: 'value',
  },
  Controller: { target: 'value' },
  Mirror: { name: 'value' },
  IPFIX: {
    targets: 'set',
    sampling: 'value',
    obs_domain_id: 'value',
    obs_point_id: 'value',
    cache_active_timeout: 'value',
    cache_max_flows: 'value',
    other_config: 'map',
  },
  sFlow: { targets: 'set', agent: 'value', sampling: 'value', polling: 'value', header: 'value' },
  Flow_Sample_Collector_Set: { id: 'value', bridge: 'value', ipfix: 'value' },
} as const satisfies Record<string, Record<string, 'value' | 'set' | 'map'>>;

/** What the switch says of an interface and the database does not write to its file. */
export const EPHEMERAL: readonly string[] = [
  'link_state',
  'mac_in_use',
  'mtu',
  'link_speed',
  'lacp_current',
] satisfies readonly (keyof typeof WATCHED.Interface)[];

export type TableName = keyof typeof WATCHED;
export const TABLES = Object.keys(WATCHED) as readonly TableName[];
export type ColumnKind = 'value' | 'set' | 'map';

/** A row as the database sends it: column → value in the notation of RFC 7047. */
export type RawRow = Readonly<Record<string, unknown>>;

export const isTable = (name: string): name is TableName => Object.hasOwn(WATCHED, name);

export function columnKind(table: TableName, column: string): ColumnKind | undefined {
  const columns: Readonly<Record<string, ColumnKind>> = WATCHED[table];
  return Object.hasOwn(columns, column) ? columns[column] : undefined;
}

/** The requests part of `monitor` and `monitor_cond`. */
export function monitorRequests(): Record<string, unknown> {
  return Object.fromEntries(TABLES.map((table) => [table, [{ columns: Object.keys(WATCHED[table]) }]]));
}
