import { type IpfixExport, type SflowExport } from '#openflow';
import { ovsdbMap, ovsdbSet, type OvsdbAtom } from '../ovsdb/atoms.js';

type Row = Record<string, unknown>;

/** Columns that are said; what is not said keeps the database's default. */
function said(columns: Readonly<Record<string, OvsdbAtom | undefined>>): Row {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

export const ipfixRow = (ipfix: IpfixExport): Row => ({
  targets: ovsdbSet(ipfix.targets),
  ...said({
    sampling: ipfix.sampling,
    obs_domain_id: ipfix.domain,
    obs_point_id: ipfix.point,
    cache_active_timeout: ipfix.activeTimeout,
    cache_max_flows: ipfix.maxFlows,
  }),
  ...(ipfix.otherConfig === undefined ? {} : { other_config: ovsdbMap(ipfix.otherConfig) }),
});

export const sflowRow = (sflow: SflowExport): Row => ({
  targets: ovsdbSet(sflow.targets),
  ...said({ agent: sflow.agent, sampling: sflow.sampling, polling: sflow.polling, header: sflow.header }),
});

export const collectorRow = (id: number, bridge: OvsdbAtom, ipfix: OvsdbAtom): Row => ({ id, bridge, ipfix });
