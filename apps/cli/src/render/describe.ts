import {
  type CountersView,
  type GroupView,
  type HostView,
  type MigrationView,
  type PortDescription,
  type SwitchView,
} from '#contracts';
import { POLICY_FIELD_NAMES } from '../policy-fields.js';
import { policyValue } from './policy.js';
import { safe, state, type Style } from './style.js';
import { facts, table } from './table.js';
import { ago, bytes, clockTime, count, duration, plural, shortTime } from './units.js';

const section = (title: string, body: string, style: Style): string => `\n${style.bold(title)}\n${body}`;
const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

function policyTable(entries: readonly (readonly [string, unknown, string])[], style: Style): string {
  const lines = entries.flatMap(([field, value, origin]) =>
    policyValue(field, value)
      .split('\n')
      .map((text, i) => ({ field: i === 0 ? field : '', text, origin: i === 0 ? origin : '' })),
  );
  return indented(
    table(
      [
        { title: 'FIELD', cell: (l) => l.field },
        { title: 'VALUE', max: 64, cell: (l) => l.text },
        { title: 'FROM', cell: (l) => l.origin, paint: (t) => (t === 'port' ? style.bold(t) : t) },
      ],
      lines,
      style,
    ),
  );
}

const patchRows = (patch: Readonly<Record<string, unknown>>, origin: string) =>
  POLICY_FIELD_NAMES.filter((field) => field in patch).map((field) => [field, patch[field], origin] as const);

function policySection(patch: Readonly<Record<string, unknown>>, origin: string, style: Style): string {
  if (Object.keys(patch).length === 0) return section('Policy', '  nothing set here: all inherited\n', style);
  return section('Policy', policyTable(patchRows(patch, origin), style), style);
}

interface Exception {
  readonly host: string;
  readonly object: string;
  readonly code: string;
  readonly reason: string;
}

function exceptions(items: readonly Exception[], style: Style): string {
  if (items.length === 0) return '';
  const text = items
    .map((e) => `  ${style.bad(e.code)} ${safe(`${e.object} on ${e.host}: ${e.reason}`)}\n`)
    .join('');
  return section('Not carried out', text, style);
}

export function sumOf(c: CountersView, direction: 'in' | 'out'): { packets: number; bytes: number } {
  const d = c[direction];
  const parts = [d.unicast, d.multicast, d.broadcast];
  return {
    packets: parts.reduce((n, p) => n + p.packets, 0),
    bytes: parts.reduce((n, p) => n + p.bytes, 0),
  };
}

const both = (s: { packets: number; bytes: number }): string => `${count(s.packets)} pkt, ${bytes(s.bytes)}`;

export function describePort(d: PortDescription, style: Style, now: number): string {
  const { port, ledger } = d;
  const s = port.status;
  const c = s.connectee;
  const head: [string, string][] = [
    ['port', style.bold(port.metadata.name)],
    ['state', state(style, s.state)],
    ['group', `${s.group} on ${s.switch}`],
    ['connectee', c === null ? 'none' : safe(`${c.kind} ${c.owner}, ${c.mac}, interface ${c.ifaceId}`)],
    ['host', s.active === null ? 'none' : `${s.active.host} (epoch ${s.active.epoch})`],
  ];
  if (s.standby !== null) {
    head.push(['standby', `${s.standby.host} (epoch ${s.standby.epoch}, migration ${s.standby.migration})`]);
  }
  for (const r of s.retiring)
    head.push(['retiring', `${r.host} (epoch ${r.epoch}): its last counters are awaited`]);
  head.push(['version', String(port.metadata.version)]);
  const ignored = d.ignored.map(
    (i) => `  ${style.warn(`${i.field} ${safe(policyValue(i.field, i.value))}`)}: ${i.reason}\n`,
  );
  return (
    facts(head, style) +
    section(
      'Effective policy',
      policyTable(
        d.policy.map((p) => [p.field, p.value, p.origin]),
        style,
      ),
      style,
    ) +
    (ignored.length === 0 ? '' : section('Ignored overrides', ignored.join(''), style)) +
    exceptions(d.exceptions, style) +
    ledgerSection(ledger, style, now)
  );
}

function ledgerSection(ledger: PortDescription['ledger'], style: Style, now: number): string {
  const at = ledger.countedAt === null ? '' : `, counted ${ago(ledger.countedAt, now)}`;
  const title = `Ledger: in ${both(sumOf(ledger.total, 'in'))}; out ${both(sumOf(ledger.total, 'out'))}`;
  const note = `  ${plural(ledger.segments.length, 'segment')}, ${ledger.exact ? 'exact' : style.warn('inexact')}${at}; in is what the connectee sent\n`;
  if (ledger.segments.length === 0) return section(title, note, style);
  const rows = indented(
    table(
      [
        { title: 'HOST', max: 20, cell: (s) => s.host },
        { title: 'EPOCH', right: true, cell: (s) => String(s.epoch) },
        { title: 'OPENED', cell: (s) => shortTime(s.openedAt, now) },
        { title: 'CLOSED', cell: (s) => (s.closedAt === null ? 'open' : shortTime(s.closedAt, now)) },
        { title: 'IN', right: true, cell: (s) => both(sumOf(s.counted, 'in')) },
        { title: 'OUT', right: true, cell: (s) => both(sumOf(s.counted, 'out')) },
        { title: 'INEXACT', max: 18, cell: (s) => s.inexact?.reason ?? '', paint: style.warn },
      ],
      ledger.segments,
      style,
    ),
  );
  return section(title, note + rows, style);
}

export function describeHost(h: HostView, style: Style, now: number): string {
  const s = h.status;
  const labels = Object.entries(h.spec.labels).map(([k, v]) => `${k}=${v}`);
  const behind = s.behind === null || s.behind === 0 ? '' : ` (${plural(s.behind, 'revision')} behind)`;
  const head: [string, string][] = [
    ['host', style.bold(h.metadata.name)],
    ['state', `${state(style, s.state)}${h.spec.maintenance ? ', maintenance' : ''}`],
    ['last seen', ago(s.lastSeen, now)],
    ['realised', s.realised === null ? 'not known' : `revision ${s.realised}`],
    ['received', s.received === null ? 'not known' : `revision ${s.received}${behind}`],
    ['agent', s.driver === null ? 'not known' : `${s.driver}, version ${s.version ?? '?'}`],
    ['ports', `${s.ports.active} active, ${s.ports.standby} standby, ${s.ports.retiring} retiring`],
    ['labels', safe(labels.join(', ')) || 'none'],
    ['management', h.spec.managementPath ?? 'not set'],
    ['preload', h.spec.preload.join(', ') || 'none'],
    ['drift', s.drift.count === 0 ? 'none seen' : `${s.drift.count} seen, last ${ago(s.drift.last, now)}`],
    ['version', String(h.metadata.version)],
  ];
  const uplinks = indented(
    table(
      [
        { title: 'SWITCH', cell: (u) => u.switch },
        { title: 'UPLINK', cell: (u) => u.uplink },
        { title: 'DEVICE', cell: (u) => u.device },
        {
          title: 'LINK',
          cell: (u) => (u.up === null ? 'not known' : u.up ? 'up' : 'down'),
          paint: (t) => state(style, t),
        },
      ],
      s.uplinks,
      style,
    ),
  );
  const vms = s.vms.map((v) => {
    const traffic =
      v.sent === undefined ? '' : `, sent ${count(v.sent)} pkt, received ${count(v.received ?? 0)} pkt`;
    return `  ${safe(v.owner)}: ${state(style, v.state)}${traffic}\n`;
  });
  return (
    facts(head, style) +
    (s.uplinks.length === 0 ? '' : section('Uplinks', uplinks, style)) +
    (vms.length === 0 ? '' : section('Guests', vms.join(''), style)) +
    exceptions(s.exceptions, style)
  );
}

export function describeSwitch(s: SwitchView, style: Style): string {
  const members = Object.entries(s.spec.members).map(([host, map]) => {
    const pnics = Object.entries(map).map(([uplink, device]) => `${uplink} = ${device}`);
    return `  ${host}: ${safe(pnics.join(', ')) || 'no uplink, internal only'}\n`;
  });
  return (
    facts(
      [
        ['switch', style.bold(s.metadata.name)],
        ['kind', s.kind === 'DistributedSwitch' ? 'distributed' : 'standard'],
        ['uplinks', s.spec.uplinks.join(', ') || 'none: internal only'],
        ['mtu', `${s.spec.mtu} bytes`],
        ['groups', String(s.status.groups)],
        ['ports', `${s.status.connected} of ${s.status.ports} connected`],
        ['version', String(s.metadata.version)],
      ],
      style,
    ) +
    section('Hosts and their pNICs', members.join('') || '  none\n', style) +
    policySection(s.spec.policy, 'switch', style)
  );
}

export function describeGroup(g: GroupView, style: Style): string {
  const expand = g.spec.autoExpand ? ', makes more when full' : '';
  const amount =
    g.spec.binding === 'static' ? `${g.spec.ports} at least${expand}` : g.spec.ports || 'no limit';
  return (
    facts(
      [
        ['group', style.bold(g.metadata.name)],
        ['switch', g.spec.switch],
        ['phase', state(style, g.status.phase)],
        ['binding', `${g.spec.binding}, ${amount}`],
        ['ports', `${g.status.connected} of ${g.status.ports} connected`],
        ['overridable', g.spec.overridable.join(', ') || 'nothing'],
        ['disconnect', g.spec.resetAtDisconnect ? 'resets overrides' : 'keeps overrides'],
        ['partition', g.spec.partitionPolicy === 'keep' ? 'keep forwarding' : 'isolate'],
        ['offline', g.spec.startOffline ? 'may start without the centre' : 'stays closed without the centre'],
        ['version', String(g.metadata.version)],
      ],
      style,
    ) + policySection(g.spec.policy, 'group', style)
  );
}

export function describeMigration(m: MigrationView, style: Style, now: number): string {
  const head: [string, string][] = [
    ['migration', style.bold(m.id)],
    ['owner', safe(m.owner)],
    ['way', `${m.source} > ${m.destination}`],
    ['phase', state(style, m.phase)],
    ['begun by', safe(m.origin === 'operator' ? m.requestedBy : 'somebody else; seen on the hosts')],
    ['took', m.finished ? duration(m.elapsedMs) : `${duration(m.elapsedMs)} so far`],
  ];
  if (m.reason !== null) head.push(['reason', safe(m.reason)]);
  if (m.deadline !== null && !m.finished) head.push(['deadline', clockTime(m.deadline, now)]);
  const ports = m.ports.map((p) => `${p.port} (epoch ${p.epoch}${p.activated ? ', active there' : ''})`);
  head.push(['ports', ports.join('\n') || 'none']);
  return facts(head, style) + section('Phases', indented(phases(m, style, now)), style);
}

function phases(m: MigrationView, style: Style, now: number): string {
  return table(
    [
      { title: 'PHASE', cell: (h) => h.phase, paint: (t) => state(style, t) },
      { title: 'AT', cell: (h) => clockTime(h.at, now) },
      { title: 'AFTER', right: true, cell: (h) => (h === m.history[0] ? '' : `+${duration(h.afterMs)}`) },
      { title: 'REVISION', right: true, cell: (h) => String(h.revision) },
      { title: 'REASON', max: 40, cell: (h) => h.reason ?? '' },
    ],
    m.history,
    style,
  );
}
