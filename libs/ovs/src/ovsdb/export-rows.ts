import { type CollectorSet, type IpfixExport, type SflowExport } from '#openflow';
import { optional, readInteger, readMap, readReferences, readText, readTexts, type Report } from './atoms.js';
import { type RawRow } from './schema.js';

/** Rows that bridges name, or that name a bridge. */
export interface ExportRows {
  readonly Controller: { readonly target: string };
  readonly Mirror: { readonly name: string };
  readonly IPFIX: IpfixExport;
  readonly sFlow: SflowExport;
  readonly Flow_Sample_Collector_Set: {
    readonly id: CollectorSet['id'];
    readonly bridge?: string;
    readonly ipfix?: string;
  };
}

const U32 = [0, 0xffffffff] as const;
const I64 = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] as const;

export const EXPORT_READERS: {
  readonly [T in keyof ExportRows]: (row: RawRow, report: Report) => ExportRows[T];
} = {
  Controller: (row, report) => ({ target: readText(row['target'], 'target', report) ?? '' }),
  Mirror: (row, report) => ({ name: readText(row['name'], 'name', report) ?? '' }),
  IPFIX: (row, report) => {
    const otherConfig = readMap(row['other_config'], 'other_config', report);
    return {
      targets: readTexts(row['targets'], 'targets', report),
      ...optional('sampling', readInteger(row['sampling'], 'sampling', U32, report)),
      ...optional('domain', readInteger(row['obs_domain_id'], 'obs_domain_id', U32, report)),
      ...optional('point', readInteger(row['obs_point_id'], 'obs_point_id', U32, report)),
      ...optional(
        'activeTimeout',
        readInteger(row['cache_active_timeout'], 'cache_active_timeout', U32, report),
      ),
      ...optional('maxFlows', readInteger(row['cache_max_flows'], 'cache_max_flows', U32, report)),
      ...(Object.keys(otherConfig).length === 0 ? {} : { otherConfig }),
    };
  },
  sFlow: (row, report) => ({
    targets: readTexts(row['targets'], 'targets', report),
    ...optional('agent', readText(row['agent'], 'agent', report)),
    ...optional('sampling', readInteger(row['sampling'], 'sampling', I64, report)),
    ...optional('polling', readInteger(row['polling'], 'polling', I64, report)),
    ...optional('header', readInteger(row['header'], 'header', I64, report)),
  }),
  Flow_Sample_Collector_Set: (row, report) => ({
    id: readInteger(row['id'], 'id', U32, report) ?? 0,
    ...optional('bridge', readReferences(row['bridge'], 'bridge', report)[0]),
    ...optional('ipfix', readReferences(row['ipfix'], 'ipfix', report)[0]),
  }),
};
