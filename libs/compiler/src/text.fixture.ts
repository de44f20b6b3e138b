import { type Action, type BridgeState, type Flow, type Match, type SubField } from '#openflow';
import { REG } from './pipeline/registers.js';
import { TABLE_NAMES } from './pipeline/tables.js';

const REGISTERS: ReadonlyMap<string, string> = new Map(Object.entries(REG).map(([name, reg]) => [reg, name]));
const MACS = new Set(['eth_src', 'eth_dst']);

/** Flows as people read them: tables and registers by name. For golden files; nothing parses it. */
export function flowText(flow: Flow): string {
  const table = TABLE_NAMES.get(flow.table) ?? flow.table;
  return `${table} ${flow.priority} [${matchText(flow.match)}] ${flow.actions.map(actionText).join(', ') || 'drop'}`;
}

export function bridgeText(bridge: BridgeState): string {
  const groups = bridge.groups.map((g) => {
    const buckets = g.buckets.map((b) => `  port ${b.watchPort}: ${b.actions.map(actionText).join(', ')}`);
    return [`group 0x${g.id.toString(16)} ${g.type}`, ...buckets].join('\n');
  });
  const shaping = bridge.meters.filter((m) => m.unit === 'kbps');
  const meters = shaping.map((m) => `meter ${m.id} ${m.rate} kbit/s, burst ${m.burst} kbit`);
  return [...bridge.flows.map(flowText), ...groups, ...meters, ''].join('\n');
}

function matchText(match: Match): string {
  return Object.entries(match)
    .map(([field, m]) => {
      const show = (v: bigint) => valueText(field, v);
      const mask = m.mask === undefined ? '' : `/${show(m.mask)}`;
      return `${REGISTERS.get(field) ?? field}=${show(m.value)}${mask}`;
    })
    .join(' ');
}

function valueText(field: string, value: bigint): string {
  if (MACS.has(field)) return (value.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
  return value > 0xfffn ? `0x${value.toString(16)}` : value.toString();
}

const sub = ({ field, offset, bits }: SubField): string =>
  `${REGISTERS.get(field) ?? field}[${offset}..${offset + bits - 1}]`;
const tableText = (table: number): string => String(TABLE_NAMES.get(table) ?? table);

function actionText(action: Action): string {
  switch (action.kind) {
    case 'set-field':
      return `${REGISTERS.get(action.field) ?? action.field}:=${valueText(action.field, action.value)}`;
    case 'move':
      return `${sub(action.dst)}:=${sub(action.src)}`;
    case 'goto':
      return `-> ${tableText(action.table)}`;
    case 'resubmit':
      return `ask ${tableText(action.table)}`;
    case 'clone':
      return `clone(${action.actions.map(actionText).join(', ')})`;
    case 'group':
      return `group 0x${action.group.toString(16)}`;
    case 'meter':
      return `meter ${action.meter}`;
    case 'output':
      return `output ${action.port}`;
    case 'output-trunc':
      return action.maxLen === 65_535 ? 'isolate' : `output ${action.port} cut to ${action.maxLen}`;
    case 'controller':
      return `tell ${[...action.userdata].join('.')}${action.meter === undefined ? '' : ` by meter ${action.meter}`}`;
    case 'learn': {
      const specs = action.specs.map((s) => `${sub(s.dst)}=${'src' in s ? sub(s.src) : s.value}`);
      return `learn(${tableText(action.table)} ${action.priority} ${specs.join(' ')})`;
    }
    case 'ct': {
      const zone = typeof action.zone === 'number' ? action.zone : sub(action.zone);
      const then = action.table === undefined ? '' : ` -> ${tableText(action.table)}`;
      const exec = action.exec?.map(actionText).join(', ') ?? '';
      return `ct(zone ${zone}${action.commit === true ? ' commit' : ''}${exec && ` ${exec}`}${then})`;
    }
    case 'sample':
      return `sample(${action.probability} set ${action.collectorSet} point ${action.point})`;
    case 'push-vlan':
    case 'pop-vlan':
    case 'ct-clear':
      return action.kind;
  }
}
