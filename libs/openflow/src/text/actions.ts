import { FIELDS } from '../fields.js';
import { type Action, type LearnAction, type LearnSpec, type OutputPort, type SubField } from '../model.js';
import { fieldText, formatField, formatValue, partText } from './values.js';

export interface TextOptions {
  /** Names to print instead of table numbers; ovs-ofctl doesn't read them. */
  readonly tables?: ReadonlyMap<number, string>;
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
      return `set_field:${formatField(action.field, action)}->${fieldText(action.field)}`;
    case 'move':
      return `move:${part(action.src)}->${part(action.dst)}`;
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
      return `controller(max_len=${action.maxLen}${data === '' ? '' : `,userdata=${data}`})`;
    }
    case 'learn':
      return formatLearn(action, table);
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

function part({ field, offset, bits }: SubField): string {
  if (offset === 0 && bits === FIELDS[field].bits) return `${partText(field)}[]`;
  return `${partText(field)}[${bits === 1 ? offset : `${offset}..${offset + bits - 1}`}]`;
}

function formatLearn(learn: LearnAction, table: (n: number) => string): string {
  const head = [`table=${table(learn.table)}`, `priority=${learn.priority}`];
  if (learn.idleTimeout !== 0) head.push(`idle_timeout=${learn.idleTimeout}`);
  if (learn.hardTimeout !== 0) head.push(`hard_timeout=${learn.hardTimeout}`);
  if (learn.cookie !== 0n) head.push(`cookie=0x${learn.cookie.toString(16)}`);
  return `learn(${[...head, ...learn.specs.map(formatSpec)].join(',')})`;
}

function formatSpec(spec: LearnSpec): string {
  if (spec.kind === 'match-field') return `${part(spec.dst)}=${part(spec.src)}`;
  const whole = spec.dst.offset === 0 && spec.dst.bits === FIELDS[spec.dst.field].bits;
  if (spec.kind === 'load-value') return `load:0x${spec.value.toString(16)}->${part(spec.dst)}`;
  return whole
    ? `${fieldText(spec.dst.field)}=${formatValue(spec.dst.field, spec.value)}`
    : `${part(spec.dst)}=0x${spec.value.toString(16)}`;
}
