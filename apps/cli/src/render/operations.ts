import {
  type EventView,
  type GroupStats,
  type PortStats,
  type Realised,
  type ReplayReport,
  type Status,
  type WriteResult,
} from '#contracts';
import { safe, state, type Style } from './style.js';
import { facts, table, type Column } from './table.js';
import { bitRate, bytes, clockTime, count, duration, packetRate, plural } from './units.js';

const rate = (r: PortStats['rates'], d: 'in' | 'out'): string =>
  r === null ? '-' : bitRate(r[d].bitsPerSecond);

function traffic<T extends Pick<PortStats, 'in' | 'out' | 'rates'>>(): Column<T>[] {
  return (['in', 'out'] as const).flatMap((d) => [
    { title: `${d.toUpperCase()} PKT`, right: true, cell: (s: T) => count(s[d].packets) },
    { title: `${d.toUpperCase()} BYTES`, right: true, cell: (s: T) => bytes(s[d].bytes) },
    { title: `${d.toUpperCase()} RATE`, right: true, cell: (s: T) => rate(s.rates, d) },
  ]);
}

export function portStatsTable(items: readonly PortStats[], style: Style): string {
  return table<PortStats>(
    [
      { title: 'PORT', cell: (s) => s.port },
      { title: 'OWNER', max: 14, cell: (s) => s.owner ?? '-' },
      { title: 'HOST', max: 12, cell: (s) => s.host ?? '-' },
      ...traffic<PortStats>(),
      {
        title: 'DROPPED',
        right: true,
        cell: (s) => (s.dropped === null ? '' : count(s.dropped.in + s.dropped.out)),
        paint: (t) => (t === '0' ? t : style.warn(t)),
      },
      { title: 'NOTE', cell: (s) => (s.exact ? '' : 'inexact'), paint: style.warn },
    ],
    items,
    style,
  );
}

export function groupStatsTable(items: readonly GroupStats[], style: Style): string {
  return table<GroupStats>(
    [
      { title: 'GROUP', max: 20, cell: (s) => s.group },
      { title: 'PORTS', right: true, cell: (s) => `${s.connected}/${s.ports}` },
      ...traffic<GroupStats>(),
    ],
    items,
    style,
  );
}

export function statsSummary(items: readonly PortStats[]): string {
  const sum = (d: 'in' | 'out'): number =>
    items.reduce((n, s) => n + (s.rates?.[d].packetsPerSecond ?? 0), 0);
  return `${plural(items.length, 'port')}: in ${packetRate(sum('in'))}, out ${packetRate(sum('out'))}`;
}

export function statusText(s: Status, style: Style, now: number): string {
  const late = s.hosts.behind.map(
    (h) =>
      `\n${h.host} ${state(style, h.state)}${h.realised === null ? '' : `, realised revision ${h.realised}`}`,
  );
  const all = s.hosts.realised === s.hosts.total;
  const realised = `${s.hosts.realised}/${s.hosts.total}`;
  const managers = s.managers.map(
    (m) => `${m.id} ${m.role}${m.revision === null ? '' : ` at revision ${m.revision}`}`,
  );
  return facts(
    [
      [
        'revision',
        `${style.bold(String(s.revision))}${s.time === null ? '' : `, ${clockTime(s.time, now)}`}`,
      ],
      ['lineage', s.lineage ?? 'none yet'],
      ...(s.digest === null ? [] : [['digest', s.digest] as [string, string]]),
      ['leader', s.leader ?? style.bad('none known: changes are not taken at the moment')],
      ...(managers.length === 0 ? [] : [['managers', managers.join('\n')] as [string, string]]),
      ['hosts', `${all ? style.good(realised) : style.warn(realised)} realised${late.join('')}`],
      ['problems', s.exceptions === 0 ? 'none' : style.bad(`${s.exceptions}: see portolan hosts`)],
      ['switches', `${s.counts.switches}, with ${plural(s.counts.groups, 'port group')}`],
      ['ports', `${s.counts.ports}, ${s.counts.connected} connected, ${s.counts.migrating} migrating`],
      [
        'api',
        s.api.follows
          ? `version ${s.version}`
          : style.bad(safe(`version ${s.version}; stands still: ${s.api.problem ?? ''}`)),
      ],
    ],
    style,
  );
}

export function eventLine(e: EventView, style: Style, now: number): string {
  const rev = String(e.revision).padStart(5);
  const by = e.actor === '' ? '' : style.dim(`  (${safe(e.actor)})`);
  return `${style.dim(rev)}  ${style.dim(clockTime(e.time, now))}  ${safe(e.sentence)}${by}\n`;
}

const MARK = { created: '+', changed: '~', deleted: '-' } as const;

/** Ports that a group made for itself are told in one line. */
function withoutNewPorts(changed: WriteResult['changed']): { shown: WriteResult['changed']; ports: string } {
  const made = changed.filter((c) => c.kind === 'Port' && c.change === 'created');
  if (made.length < 2) return { shown: changed, ports: '' };
  const names =
    made.length > 2 ? `${made[0]?.name} to ${made.at(-1)?.name}` : made.map((c) => c.name).join(', ');
  return { shown: changed.filter((c) => !made.includes(c)), ports: `${made.length} ports created: ${names}` };
}

/** What a write did, one line an object, then the revision. */
export function writeText(r: WriteResult, style: Style): string {
  const { shown, ports } = withoutNewPorts(r.changed);
  const lines = shown.map((c) => {
    const paint = { created: style.good, changed: style.warn, deleted: style.bad }[c.change];
    const fields =
      c.fields.length === 0 ? '' : `: ${c.fields.slice(0, 6).join(', ')}${c.fields.length > 6 ? ', …' : ''}`;
    return `${paint(MARK[c.change])} ${c.kind}/${c.name} ${c.change}${fields}\n`;
  });
  if (ports !== '') lines.push(`${style.good('+')} ${ports}\n`);
  const same = r.unchanged === 0 ? '' : `${lines.length === 0 ? '' : ', '}${r.unchanged} unchanged`;
  const did = r.changed.length === 0 ? '' : plural(r.changed.length, 'change');
  const what = `${did}${same}` || 'nothing to change';
  if (r.dryRun)
    return `${lines.join('')}dry run: ${what}; nothing was done (decided on revision ${r.revision})\n`;
  return `${lines.join('')}${what}; revision ${style.bold(String(r.revision))}\n`;
}

export function realisedText(r: Realised, style: Style): string {
  if (r.realised && r.of === 0) return 'no host is concerned: there is nothing to wait for\n';
  const line = `realised on ${r.hosts}/${r.of} ${r.of === 1 ? 'host' : 'hosts'} ${r.realised ? 'in' : 'after'} ${duration(r.elapsedMs)}`;
  if (r.realised) return `${style.good(line)}\n`;
  const waiting = r.waiting.map((w) => {
    const at = w.realised === null ? '' : ` (at revision ${w.realised})`;
    return `  ${w.host}: ${safe(w.reason)}${at}\n`;
  });
  const failed = r.exceptions.map(
    (e) => `  ${style.bad(e.code)} ${safe(`${e.object} on ${e.host}: ${e.reason}`)}\n`,
  );
  return `${style.warn(line)}\n${waiting.join('')}${failed.join('')}`;
}

export function replayText(r: ReplayReport, style: Style): string {
  const ledgers = table<ReplayReport['ledgers'][number]>(
    [
      { title: 'PORT', cell: (l) => l.port },
      { title: 'GROUP', max: 20, cell: (l) => l.group },
      { title: 'OWNER', max: 20, cell: (l) => l.owner ?? '-' },
      { title: 'IN PKT', right: true, cell: (l) => count(l.in.packets) },
      { title: 'IN BYTES', right: true, cell: (l) => bytes(l.in.bytes) },
      { title: 'OUT PKT', right: true, cell: (l) => count(l.out.packets) },
      { title: 'OUT BYTES', right: true, cell: (l) => bytes(l.out.bytes) },
      { title: 'SEGMENTS', right: true, cell: (l) => String(l.segments) },
      {
        title: 'NOTE',
        cell: (l) =>
          [l.open > 0 ? `${l.open} open` : '', l.exact ? '' : 'inexact'].filter(Boolean).join(', '),
      },
    ],
    r.ledgers,
    style,
  );
  const migrations = table<ReplayReport['migrations'][number]>(
    [
      { title: 'MIGRATION', cell: (m) => m.id },
      { title: 'OWNER', max: 20, cell: (m) => m.owner },
      { title: 'FROM', cell: (m) => m.source },
      { title: 'TO', cell: (m) => m.destination },
      { title: 'PHASE', cell: (m) => m.phase, paint: (t) => state(style, t) },
      { title: 'TOOK', right: true, cell: (m) => duration(m.elapsedMs) },
    ],
    r.migrations,
    style,
  );
  const c = r.counts;
  return (
    facts(
      [
        ['revision', `${style.bold(String(r.revision))} of lineage ${r.lineage ?? 'none'}`],
        ['digest', r.digest],
        [
          'read',
          `${plural(r.commits, 'commit')}, ${plural(r.events, 'event')} in ${duration(r.elapsedMs)}; the chain is whole`,
        ],
        [
          'state',
          `${plural(c.hosts, 'host')}, ${plural(c.switches, 'switch', 'switches')}, ${plural(c.groups, 'port group')}, ` +
            `${plural(c.ports, 'port')}, ${plural(c.migrations, 'migration')}`,
        ],
      ],
      style,
    ) +
    (r.ledgers.length === 0
      ? ''
      : `\n${style.bold('Ledgers')} ${style.dim('(closed segments only: the log holds no live counters)')}\n${ledgers}`) +
    (r.migrations.length === 0 ? '' : `\n${style.bold('Migrations')}\n${migrations}`)
  );
}
