import { type PortDescription } from '#contracts/http';
import { policyValue } from './policy.js';
import { both, exceptions, indented, policyTable, section, sumOf } from './sections.js';
import { countersSection, hitsSection } from './stats.js';
import { safe, state, type Style } from './style.js';
import { facts, table } from './table.js';
import { ago, duration, plural, shortTime } from './units.js';

export function describePort(d: PortDescription, style: Style, now: number): string {
  const { port } = d;
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
  if (s.claim !== undefined)
    head.push(['claimed', style.warn(`${s.claim.host} ${ago(s.claim.since, now)}: ${safe(s.claim.reason)}`)]);
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
    countersSection(d.stats, style) +
    hitsSection(d.stats.ruleHits, style) +
    ledgerSection(d, style, now)
  );
}

function ledgerSection({ port, ledger }: PortDescription, style: Style, now: number): string {
  // What they owe is not in the sum yet.
  const owing = port.status.retiring.map((r) => r.host);
  const lacks = owing.length === 0 ? '' : style.warn(` but for what ${owing.join(' and ')} has yet to tell`);
  const at = ledger.countedAt === null ? '' : `, counted ${ago(ledger.countedAt, now)}`;
  const title = `Ledger: in ${both(sumOf(ledger.total, 'in'))}; out ${both(sumOf(ledger.total, 'out'))}`;
  const note = `  ${plural(ledger.segments.length, 'segment')}, ${ledger.exact ? 'exact' : style.warn('inexact')}${lacks}${at}; in is what the connectee sent\n`;
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
        { title: 'INEXACT', max: 18, cell: inexact, paint: style.warn },
      ],
      ledger.segments,
      style,
    ),
  );
  return section(title, note + rows, style);
}

/** The bound, and why: what was counted between the values that it closed with and its end is not in it. */
function inexact({ inexact: why, closedAt }: PortDescription['ledger']['segments'][number]): string {
  if (why === null) return '';
  const missing = closedAt === null ? 0 : Date.parse(closedAt) - Date.parse(why.checkpointAt);
  return `${duration(Math.max(0, missing))} missing: ${why.reason}`;
}
