import {
  type CountersView,
  type GroupStats,
  type PortHistory,
  type PortStats,
  type UplinkCounts,
  type UplinkStats,
} from '#contracts/http';
import { indented, section } from './sections.js';
import { safe, type Style } from './style.js';
import { table, type Column } from './table.js';
import { bitRate, bytes, count, packetRate, plural, shortTime } from './units.js';

const rate = (r: PortStats['rates'], d: 'in' | 'out'): string =>
  r === null ? '-' : bitRate(r[d].bitsPerSecond);

function traffic<T extends Pick<PortStats, 'in' | 'out' | 'rates'>>(): Column<T>[] {
  return (['in', 'out'] as const).flatMap((d) => [
    { title: `${d.toUpperCase()} PKT`, right: true, cell: (s: T) => count(s[d].packets) },
    { title: `${d.toUpperCase()} BYTES`, right: true, cell: (s: T) => bytes(s[d].bytes) },
    { title: `${d.toUpperCase()} RATE`, right: true, cell: (s: T) => rate(s.rates, d) },
  ]);
}

/** A count that would be nothing if all were well. */
const bad = <T>(title: string, of: (item: T) => number | null, style: Style): Column<T> => ({
  title,
  right: true,
  cell: (item) => {
    const n = of(item);
    return n === null ? '' : count(n);
  },
  paint: (t) => (t === '0' ? t : style.warn(t)),
});

const noteOf = ({ exact, since }: PortStats): string =>
  [...(exact ? [] : ['inexact']), ...(since === null ? [] : [`since ${since.time.slice(0, 16)}Z`])].join(
    ', ',
  );

export function portStatsTable(items: readonly PortStats[], style: Style): string {
  return table<PortStats>(
    [
      { title: 'PORT', cell: (s) => s.port },
      { title: 'OWNER', max: 14, cell: (s) => s.owner ?? '-' },
      { title: 'HOST', max: 12, cell: (s) => s.host ?? '-' },
      ...traffic<PortStats>(),
      bad('DROPPED', (s) => (s.dropped === null ? null : s.dropped.in + s.dropped.out), style),
      bad('LOST', (s) => s.lost, style),
      { title: 'NOTE', cell: noteOf, paint: style.warn },
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

/** `in` is from the wire. */
export function uplinkStatsTable(items: readonly UplinkStats[], style: Style): string {
  const ways = (['in', 'out'] as const).flatMap((d): Column<UplinkStats>[] => {
    const of = (title: string, say: (c: UplinkCounts) => string): Column<UplinkStats> => ({
      title: `${d.toUpperCase()} ${title}`,
      right: true,
      cell: ({ counts: c }) => (c === null ? '' : say(c)),
    });
    return [of('PKT', (c) => count(c[d].packets)), of('RATE', (c) => rate(c.rates, d))];
  });
  return table<UplinkStats>(
    [
      { title: 'HOST', max: 12, cell: (u) => u.host },
      { title: 'SWITCH', max: 16, cell: (u) => u.switch },
      { title: 'UPLINK', max: 16, cell: (u) => u.uplink },
      ...ways,
      ...amiss<UplinkStats>(style),
      bad('REFUSED', (u) => u.counts?.refused ?? null, style),
    ],
    items,
    style,
  );
}

/** In few columns: beside what else is told of an uplink. */
export const uplinkColumns = <T extends Pick<UplinkStats, 'counts'>>(style: Style): Column<T>[] => [
  ...(['in', 'out'] as const).map((d): Column<T> => ({
    title: d === 'in' ? 'RECEIVED' : 'SENT',
    right: true,
    cell: ({ counts: c }) => (c === null ? '' : `${count(c[d].packets)} pkt`),
  })),
  ...amiss<T>(style),
];

const amiss = <T extends Pick<UplinkStats, 'counts'>>(style: Style): Column<T>[] => [
  bad('DROPPED', (u) => sum(u.counts?.dropped), style),
  bad('ERRORS', (u) => sum(u.counts?.errors), style),
];

const sum = (n: { readonly in: number; readonly out: number } | undefined): number | null =>
  n === undefined ? null : n.in + n.out;

/** The eighteen of one port, and what was lost before its switch. */
export function countersSection(s: PortStats, style: Style): string {
  const amount = ({ packets, bytes: octets }: CountersView['in']['unicast']): string =>
    `${count(packets)} pkt, ${bytes(octets)}`;
  const way = (n: { in: number; out: number } | null, d: 'in' | 'out'): string =>
    n === null ? '-' : `${count(n[d])} pkt`;
  const kinds = (['unicast', 'multicast', 'broadcast'] as const).map((kind) => ({
    what: kind as string,
    in: amount(s.counters.in[kind]),
    out: amount(s.counters.out[kind]),
  }));
  const rows = [
    ...kinds,
    { what: 'dropped', in: way(s.dropped, 'in'), out: way(s.dropped, 'out') },
    { what: 'exceptions', in: way(s.exceptions, 'in'), out: way(s.exceptions, 'out') },
    // What goes out to the wire came in from the connectee.
    {
      what: 'by the pNIC',
      in: s.pnic === null ? '-' : amount(s.pnic.to),
      out: s.pnic === null ? '-' : amount(s.pnic.from),
    },
    { what: 'lost', in: s.lost === null ? '-' : `${count(s.lost)} pkt`, out: '' },
  ];
  const body = table(
    [
      { title: 'COUNTER', cell: (r) => r.what },
      { title: 'IN', right: true, cell: (r) => r.in },
      { title: 'OUT', right: true, cell: (r) => r.out },
    ],
    rows,
    style,
  );
  const title =
    s.since === null
      ? 'Counters'
      : `Counters since ${s.since.time} (${safe(s.since.by)}: ${safe(s.since.reason)})`;
  return section(title, indented(body), style);
}

type Point = PortHistory['points'][number];

/** Each line with what came since the one before. */
export function historyTable({ points }: PortHistory, style: Style, now: number): string {
  if (points.length === 0) return 'nothing yet: points are taken while the port is on a host\n';
  const before = new Map(points.map((p, i) => [p, points[i - 1]]));
  const per = (p: Point, d: 'in' | 'out'): string => {
    const last = before.get(p);
    if (last === undefined) return '-';
    const seconds = (Date.parse(p.time) - Date.parse(last.time)) / 1000;
    return seconds > 0 ? bitRate(((p[d].bytes - last[d].bytes) * 8) / seconds) : '-';
  };
  const way = (d: 'in' | 'out'): Column<Point>[] => [
    { title: `${d.toUpperCase()} PKT`, right: true, cell: (p) => count(p[d].packets) },
    { title: `${d.toUpperCase()} BYTES`, right: true, cell: (p) => bytes(p[d].bytes) },
    { title: `${d.toUpperCase()} RATE`, right: true, cell: (p) => per(p, d) },
  ];
  return table<Point>(
    [
      { title: 'TIME', cell: (p) => shortTime(p.time, now) },
      { title: 'HOST', max: 16, cell: (p) => p.host },
      ...way('in'),
      ...way('out'),
    ],
    points,
    style,
  );
}

/** What rules took, in their order. */
export function hitsSection(hits: PortStats['ruleHits'], style: Style): string {
  const rows = Object.entries(hits);
  if (rows.length === 0) return '';
  const body = table(
    hitColumns(style),
    rows.map(([rule, n]) => ({ rule, n })),
    style,
  );
  return section('Hits of rules', indented(body), style);
}

export function ruleHitsTable(items: readonly GroupStats[], style: Style): string {
  const rows = items.flatMap(({ group, ruleHits }) =>
    Object.entries(ruleHits).map(([rule, n]) => ({ group, rule, n })),
  );
  return table(
    [{ title: 'GROUP', max: 20, cell: (r) => r.group }, ...hitColumns<(typeof rows)[number]>(style)],
    rows,
    style,
  );
}

interface Hits {
  readonly rule: string;
  readonly n: number;
}

const hitColumns = <T extends Hits>(style: Style): Column<T>[] => [
  { title: 'RULE', max: 32, cell: (r) => r.rule },
  { title: 'HITS', right: true, cell: (r) => count(r.n), paint: (t) => (t === '0' ? style.dim(t) : t) },
];
