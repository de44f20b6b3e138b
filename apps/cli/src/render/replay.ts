import { type ReplayReport } from '#contracts/http';
import { state, type Style } from './style.js';
import { facts, table } from './table.js';
import { bytes, count, duration, plural } from './units.js';

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
