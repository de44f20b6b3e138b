import { FIELDS, type FieldName } from '../fields.js';
import { type Action, type CtAction, type LearnAction, type LearnSpec } from '../model.js';
import { type OutputPort, type SampleAction, type SubField } from '../model.js';
import { fieldText, formatField, formatValue, partText } from './values.js';

export interface TextOptions {
  /** Names to print instead of table numbers; ovs-ofctl doesn't read them. */
  readonly tables?: ReadonlyMap<number, string>;
  /** Names to print instead of those of fields (registers); ovs-ofctl doesn't read them either. */
  readonly fields?: ReadonlyMap<string, string>;
  /** Print cookies; off by default, as they differ from round to round. */
  readonly cookies?: boolean;
}

/** One action in ovs-ofctl's syntax. */
export function formatAction(action: Action, options: TextOptions = {}): string {
  const table = (n: number) => options.tables?.get(n) ?? String(n);
  switch (action.kind) {
    case 'output':
      return formatOutput(action.port, action.maxLen);
    case 'set-field':
      return `set_field:${formatField(action.field, action)}->${named(action.field, options)}`;
    case 'move':
      return `move:${part(action.src, options)}->${part(action.dst, options)}`;
    case 'push-vlan':
      return 'push_vlan:0x8100';
    case 'pop-vlan':
      return 'pop_vlan';
    case 'resubmit':
      return `resubmit(,${table(action.table)})`;
    case 'clone':
      return `clone(${action.actions.map((a) => formatAction(a, options)).join(',')})`;
    case 'group':
      return `group:${action.group}`;
    case 'meter':
      return `meter:${action.meter}`;
    case 'output-trunc':
      return `output(port=${action.port},max_len=${action.maxLen})`;
    case 'controller': {
      const data = [...action.userdata].map((b) => b.toString(16).padStart(2, '0')).join('.');
      const more = [
        ...(action.reason === undefined ? [] : [`reason=${REASONS[action.reason] ?? action.reason}`]),
        ...(data === '' ? [] : [`userdata=${data}`]),
        ...(action.meter === undefined ? [] : [`meter_id=${action.meter}`]),
      ];
      return `controller(${[`max_len=${action.maxLen}`, ...more].join(',')})`;
    }
    case 'learn':
      return formatLearn(action, table, options);
    case 'ct':
      return formatCt(action, table, options);
    case 'ct-clear':
      return 'ct_clear';
    case 'sample':
      return formatSample(action);
    case 'goto':
      return `goto_table:${table(action.table)}`;
  }
}

function formatOutput(port: OutputPort, maxLen: number | undefined): string {
  if (port === 'controller') return `CONTROLLER:${maxLen ?? 65535}`;
  const to =
    typeof port === 'number' ? `output:${port}` : port === 'in_port' ? 'IN_PORT' : port.toUpperCase();
  return maxLen === undefined ? to : `${to}[max_len=${maxLen}]`;
}

/** Reasons of a packet-in by their codes, as ovs-ofctl names them. */
const REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'] as const;

function formatCt(ct: CtAction, table: (n: number) => string, options: TextOptions): string {
  const parts: string[] = [];
  if (ct.commit === true) parts.push('commit');
  if (ct.force === true) parts.push('force');
  if (ct.table !== undefined) parts.push(`table=${table(ct.table)}`);
  parts.push(`zone=${typeof ct.zone === 'number' ? ct.zone : part(ct.zone, options)}`);
  if (ct.exec !== undefined) parts.push(`exec(${ct.exec.map((a) => formatAction(a, options)).join(',')})`);
  return `ct(${parts.join(',')})`;
}

function formatSample({ probability, collectorSet, domain, point, port, direction }: SampleAction): string {
  const parts = [
    `probability=${probability}`,
    `collector_set_id=${collectorSet}`,
    `obs_domain_id=${domain}`,
    `obs_point_id=${point}`,
    ...(port === undefined ? [] : [`sampling_port=${port}`]),
    ...(direction === undefined ? [] : [direction]),
  ];
  return `sample(${parts.join(',')})`;
}

const named = (field: FieldName, options: TextOptions): string =>
  options.fields?.get(field) ?? fieldText(field);

function part({ field, offset, bits }: SubField, options: TextOptions): string {
  const name = options.fields?.get(field) ?? partText(field);
  if (offset === 0 && bits === FIELDS[field].bits) return `${name}[]`;
  return `${name}[${bits === 1 ? offset : `${offset}..${offset + bits - 1}`}]`;
}

function formatLearn(learn: LearnAction, table: (n: number) => string, options: TextOptions): string {
  const head = [`table=${table(learn.table)}`, `priority=${learn.priority}`];
  if (learn.idleTimeout !== 0) head.push(`idle_timeout=${learn.idleTimeout}`);
  if (learn.hardTimeout !== 0) head.push(`hard_timeout=${learn.hardTimeout}`);
  if (learn.finIdleTimeout !== undefined) head.push(`fin_idle_timeout=${learn.finIdleTimeout}`);
  if (learn.finHardTimeout !== undefined) head.push(`fin_hard_timeout=${learn.finHardTimeout}`);
  if (learn.deleteLearned === true) head.push('delete_learned');
  if (learn.limit !== undefined) head.push(`limit=${learn.limit}`);
  if (learn.resultDst !== undefined) head.push(`result_dst=${part(learn.resultDst, options)}`);
  if (learn.cookie !== 0n) head.push(`cookie=0x${learn.cookie.toString(16)}`);
  return `learn(${[...head, ...learn.specs.map((spec) => formatSpec(spec, options))].join(',')})`;
}

function formatSpec(spec: LearnSpec, options: TextOptions): string {
  if (spec.kind === 'match-field') return `${part(spec.dst, options)}=${part(spec.src, options)}`;
  if (spec.kind === 'load-field') return `load:${part(spec.src, options)}->${part(spec.dst, options)}`;
  const whole = spec.dst.offset === 0 && spec.dst.bits === FIELDS[spec.dst.field].bits;
  if (spec.kind === 'load-value') return `load:0x${spec.value.toString(16)}->${part(spec.dst, options)}`;
  return whole
    ? `${named(spec.dst.field, options)}=${formatValue(spec.dst.field, spec.value)}`
    : `${part(spec.dst, options)}=0x${spec.value.toString(16)}`;
}
