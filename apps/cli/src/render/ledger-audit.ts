import { type LedgerAudit } from '#contracts/http';
import { indented, section } from './sections.js';
import { safe, type Style } from './style.js';
import { facts, table } from './table.js';
import { count, duration, plural } from './units.js';

const AGAINST = { live: 'what is shown now', replay: 'what the log folds to' } as const;

export function auditText(a: LedgerAudit, style: Style): string {
  const verdict = a.agree
    ? style.good(`${plural(a.ports, 'ledger')} agree${a.ports === 1 ? 's' : ''} with the log`)
    : style.bad('not what the log says');
  const head: [string, string][] = [
    ['ledgers', verdict],
    ['revision', `${style.bold(String(a.revision))} of lineage ${a.lineage ?? 'none'}`],
    ['compared', AGAINST[a.against]],
    [
      'read',
      `${plural(a.commits, 'commit')}, ${plural(a.segments, 'segment')} in ${duration(a.elapsedMs)}; the chain is whole`,
    ],
  ];
  return facts(head, style) + differences(a, style) + faults(a, style) + more(a);
}

function differences(a: LedgerAudit, style: Style): string {
  if (a.differences.length === 0) return '';
  const rows = table<LedgerAudit['differences'][number]>(
    [
      { title: 'PORT', cell: (d) => d.port },
      { title: 'WHAT', cell: (d) => d.what },
      { title: 'BY THE LOG', right: true, cell: (d) => count(d.log) },
      { title: 'SHOWN', right: true, cell: (d) => count(d.shown), paint: (t) => style.bad(t) },
    ],
    a.differences,
    style,
  );
  return section('Differences', indented(rows), style);
}

function faults(a: LedgerAudit, style: Style): string {
  if (a.faults.length === 0) return '';
  const lines = a.faults.map((f) => `  revision ${f.revision}, port ${f.port}: ${safe(f.what)}\n`);
  return section('In the log, but no rule writes it', lines.join(''), style);
}

const more = (a: LedgerAudit): string => (a.more === 0 ? '' : `\nand ${count(a.more)} more\n`);
