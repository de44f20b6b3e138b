import { type EventView, type GroupStats, type PortStats, type Status } from '#contracts/http';
import { safe, state, type Style } from './style.js';
import { facts, table, type Column } from './table.js';
import { bitRate, bytes, clockTime, count, packetRate, plural } from './units.js';

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

/** Repeats are no sign of anything: agents tell again what they do not know to have arrived. */
function refusedOf({ refused = [] }: Status, style: Style): [string, string][] {
  const lines = refused
    .filter((r) => r.kind !== 'repeat')
    .map((r) => style.warn(safe(`${r.count} of ${r.host}: ${r.kind}`)));
  return lines.length === 0 ? [] : [['refused', lines.join('\n')]];
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
      ['leader', s.leader ?? style.bad(noLeader(s))],
      ...(managers.length === 0 ? [] : [['managers', managers.join('\n')] as [string, string]]),
      ['hosts', `${all ? style.good(realised) : style.warn(realised)} realised${late.join('')}`],
      ['problems', s.exceptions === 0 ? 'none' : style.bad(`${s.exceptions}: see portolan hosts`)],
      ...refusedOf(s, style),
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

/** Whoever follows the log and still has something to say tells why nobody leads. */
function noLeader({ api }: Status): string {
  const why = api.follows && api.problem !== null ? `\n${safe(api.problem)}` : '';
  return `none known: changes are not taken at the moment${why}`;
}

export function eventLine(e: EventView, style: Style, now: number): string {
  const rev = String(e.revision).padStart(5);
  const by = e.actor === '' ? '' : style.dim(`  (${safe(e.actor)})`);
  return `${style.dim(rev)}  ${style.dim(clockTime(e.time, now))}  ${safe(e.sentence)}${by}\n`;
}
