import { type MigrationDescription } from '#contracts/http';
import { both, indented, section, sumOf } from './sections.js';
import { safe, state, type Style } from './style.js';
import { facts, table } from './table.js';
import { clockTime, duration } from './units.js';

type Handover = MigrationDescription['handover'][number];

export function describeMigration(m: MigrationDescription, style: Style, now: number): string {
  const failed = m.phase === 'failed' || m.phase === 'aborted' || m.phase === 'unknown';
  const head: [string, string][] = [
    ['migration', style.bold(m.id)],
    ['owner', safe(m.owner)],
    ['way', `${m.source} > ${m.destination}`],
    ['phase', state(style, m.phase)],
    ...(failed && m.reason !== null ? [['why', safe(m.reason)] as [string, string]] : []),
    ['begun by', safe(m.origin === 'operator' ? m.requestedBy : 'somebody else; seen on the hosts')],
    ...(m.evacuation === null ? [] : [['evacuation', m.evacuation] as [string, string]]),
    ...(m.asked === null ? [] : [['reason', safe(m.asked)] as [string, string]]),
    ['took', m.finished ? duration(m.elapsedMs) : `${duration(m.elapsedMs)} so far`],
    ['attempt', m.attempt === 0 ? 'not asked of the hypervisor by us' : String(m.attempt)],
    ...(m.pauseMs === null && failed ? [] : [['pause', pause(m.pauseMs)] as [string, string]]),
  ];
  if (m.deadline !== null && !m.finished) head.push(['deadline', clockTime(m.deadline, now)]);
  const over = m.handover.map((h) => handover(m, h, style, now)).join('');
  return (
    facts(head, style) +
    section('Phases', indented(phases(m, style, now)), style) +
    (over === '' ? '' : section('Hand-over', over, style))
  );
}

const pause = (ms: number | null): string =>
  ms === null ? 'not told by the hypervisor' : `${duration(ms)}, by the hypervisor`;

function phases(m: MigrationDescription, style: Style, now: number): string {
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

/** One port: what each of the two switches saw, and what its ledger says of it. */
function handover(m: MigrationDescription, h: Handover, style: Style, now: number): string {
  const epoch = m.ports.find((p) => p.port === h.port)?.epoch ?? 0;
  const seen = (time: string | null, where: string): string =>
    time === null
      ? `not noticed as it happened, on ${where}`
      : `${clockTime(time, now)}, by the clock of ${where}`;
  const rows: [string, string][] = [
    ['port', `${style.bold(h.port)}, epoch ${epoch}`],
    ['policy', policy(h, m.destination, style)],
    ...(h.carried === null
      ? []
      : [['brought', brought(h.carried, h.realised, m.destination, style)] as [string, string]]),
    ['first frame', seen(h.firstFrameAt, m.destination)],
    ['turned', `${seen(h.turnedAt, m.source)}${h.gapMs === null ? '' : `: ${gap(h.gapMs)}`}`],
    ['left', h.source === null ? 'not known' : left(h.source, style)],
    ['went on', h.destination === null ? 'not known' : wentOn(h.destination)],
  ];
  return facts(rows, style, '  ');
}

function policy({ granted, realised }: Handover, host: string, style: Style): string {
  if (realised === null) return `of revision ${granted} wanted; what ${host} carried out is not known`;
  const text = `revision ${realised} carried out on ${host} before, ${granted} wanted`;
  return realised >= granted ? text : style.bad(text);
}

/** What the source had carried out of the port's policy; it is newer only where the destination was behind. */
function brought(carried: number, realised: number | null, host: string, style: Style): string {
  const text = `policy of revision ${carried}, by the guest (PortData)`;
  return realised === null || carried <= realised ? text : style.bad(`${text}: ${host} was behind`);
}

/** Two hosts' clocks may differ by more than what lies between: then the source seems to be first. */
const gap = (ms: number): string =>
  ms < 0 ? `${duration(-ms)} before, so the clocks differ` : `${duration(ms)} after, if the clocks agree`;

function left({ counted, inexact }: NonNullable<Handover['source']>, style: Style): string {
  const [sent, received] = [both(sumOf(counted, 'in')), both(sumOf(counted, 'out'))];
  return `in ${sent}; out ${received}${inexact === null ? '' : style.warn(`; inexact: ${safe(inexact)}`)}`;
}

function wentOn({ from }: NonNullable<Handover['destination']>): string {
  return `with meters at in ${both(sumOf(from, 'in'))}; out ${both(sumOf(from, 'out'))}`;
}
