import { type Match } from '../model.js';
import { type Bucket, type Flow, type Group, type Meter } from '../model.js';
import { matchFields } from '../wire/match.js';
import { formatAction, type TextOptions } from './actions.js';
import { fieldText, formatField } from './values.js';

/** A match as ovs-ofctl reads it: `in_port=1,reg10=0x1/0x1`; empty for anything. */
export function formatMatch(match: Match, options: TextOptions = {}): string {
  return matchFields(match)
    .map(
      ([field, value]) =>
        `${options.fields?.get(field.name) ?? fieldText(field.name)}=${formatField(field.name, value)}`,
    )
    .join(',');
}

/**
 * A flow in ovs-ofctl's syntax, with full field names and the cookie last of the head, so that golden texts and drift
 * reports line up: `table=0, priority=100, in_port=1 actions=meter:101,goto_table:1`.
 */
export function formatFlow(flow: Flow, options: TextOptions = {}): string {
  const head = [`table=${tableName(flow.table, options)}`, `priority=${flow.priority}`];
  if (options.cookies === true) head.unshift(`cookie=0x${flow.cookie.toString(16)}`);
  if (flow.idleTimeout) head.push(`idle_timeout=${flow.idleTimeout}`);
  if (flow.hardTimeout) head.push(`hard_timeout=${flow.hardTimeout}`);
  const match = formatMatch(flow.match, options);
  if (match !== '') head.push(match);
  return `${head.join(', ')} actions=${formatActions(flow, options)}`;
}

function formatActions(flow: Flow, options: TextOptions): string {
  if (flow.opaque !== undefined) return `<${flow.opaque}>`;
  return flow.actions.length === 0 ? 'drop' : flow.actions.map((a) => formatAction(a, options)).join(',');
}

const tableName = (table: number, options: TextOptions): string =>
  options.tables?.get(table) ?? String(table);

/** All flows, a line each, by table and falling priority: the order in which the switch looks. */
export function formatFlows(flows: readonly Flow[], options: TextOptions = {}): string {
  const lines = flows.map((flow) => ({ flow, text: formatFlow(flow, options) }));
  lines.sort(
    (a, b) =>
      a.flow.table - b.flow.table ||
      b.flow.priority - a.flow.priority ||
      (a.text < b.text ? -1 : a.text > b.text ? 1 : 0),
  );
  return lines.map((l) => `${l.text}\n`).join('');
}

const GROUP_TYPES = { all: 'all', select: 'select', indirect: 'indirect', 'fast-failover': 'ff' } as const;

export function formatGroup(group: Group, options: TextOptions = {}): string {
  const head = `group_id=${group.id},type=${GROUP_TYPES[group.type]}`;
  if (group.opaque !== undefined) return `${head},<${group.opaque}>`;
  return [head, ...selection(group), ...group.buckets.map((b) => `bucket=${formatBucket(b, options)}`)].join(
    ',',
  );
}

function selection({ selection: chosen }: Group): string[] {
  if (chosen === undefined) return [];
  const param = chosen.param === undefined ? [] : [`selection_method_param=${chosen.param}`];
  return [
    `selection_method=${chosen.method}`,
    ...param,
    ...(chosen.fields.length === 0 ? [] : [`fields(${chosen.fields.map(fieldText).join(',')})`]),
  ];
}

function formatBucket(bucket: Bucket, options: TextOptions): string {
  const parts: string[] = [];
  if (bucket.weight !== undefined) parts.push(`weight:${bucket.weight}`);
  if (bucket.watchPort !== undefined) parts.push(`watch_port:${bucket.watchPort}`);
  const actions = bucket.actions.map((a) => formatAction(a, options)).join(',');
  return [...parts, `actions=${actions === '' ? 'drop' : actions}`].join(',');
}

export function formatMeter(meter: Meter): string {
  const burst = meter.burst === undefined ? '' : ',burst';
  const head = `meter=${meter.id},${meter.unit}${burst},stats`;
  if (meter.opaque !== undefined) return `${head},<${meter.opaque}>`;
  const size = meter.burst === undefined ? '' : `,burst_size=${meter.burst}`;
  return `${head},bands=type=drop,rate=${meter.rate}${size}`;
}
