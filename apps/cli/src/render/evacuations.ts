import { type EvacuationDescription, type EvacuationView } from '#contracts/http';
import { indented, section } from './sections.js';
import { safe, state, type Style } from './style.js';
import { facts, table, type Column } from './table.js';
import { ago, duration, plural } from './units.js';

type Guest = EvacuationDescription['guests'][number];

/** `12 moved, 2 moving, 1 refused`: what is none is left out. */
export function countsText({ counts }: EvacuationView): string {
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.map(([what, n]) => `${n} ${what}`).join(', ') || 'no guests';
}

export function evacuationTable(items: readonly EvacuationView[], style: Style, now: number): string {
  const columns: Column<EvacuationView>[] = [
    { title: 'ID', cell: (e) => e.id },
    { title: 'HOST', max: 20, cell: (e) => e.host },
    { title: 'PHASE', cell: (e) => e.phase, paint: (t) => state(style, t) },
    { title: 'GUESTS', max: 36, cell: countsText },
    { title: 'TOOK', right: true, cell: (e) => (e.finished ? duration(e.elapsedMs) : 'running') },
    { title: 'STARTED', cell: (e) => ago(e.startedAt, now) },
    { title: 'BY', max: 16, cell: (e) => e.requestedBy },
  ];
  return table(columns, items, style);
}

export function describeEvacuation(e: EvacuationDescription, style: Style, now: number): string {
  const head: [string, string][] = [
    ['evacuation', style.bold(e.id)],
    ['host', e.host],
    ['to', e.to.join(', ') || 'any host that admits a guest'],
    ['phase', `${state(style, e.phase)}${e.why === null ? '' : `: ${safe(e.why)}`}`],
    ['begun by', `${safe(e.requestedBy)}, ${ago(e.startedAt, now)}`],
    ...(e.reason === null ? [] : [['reason', safe(e.reason)] as [string, string]]),
    ['took', e.finished ? duration(e.elapsedMs) : `${duration(e.elapsedMs)} so far`],
    ['at once', e.parallel === null ? 'as many as the hosts’ limits let go' : `at most ${e.parallel}`],
    ['guests', countsText(e)],
    ['there now', e.remaining === 0 ? 'nobody' : plural(e.remaining, 'guest')],
  ];
  return facts(head, style) + guestSection(e, style) + refusedSection(e, style);
}

interface Row {
  readonly owner: string;
  readonly state: string;
  readonly try?: Guest['tries'][number];
}

/** A line a try; the guest and its state stand in the first. */
const rowsOf = ({ owner, state: stands, tries }: Guest): Row[] =>
  tries.length === 0
    ? [{ owner, state: stands }]
    : tries.map((t, i) => ({ owner: i === 0 ? owner : '', state: i === 0 ? stands : '', try: t }));

function guestSection({ guests }: EvacuationDescription, style: Style): string {
  if (guests.length === 0) return '';
  const columns: Column<Row>[] = [
    { title: 'GUEST', max: 24, cell: (r) => r.owner },
    { title: 'STATE', cell: (r) => r.state, paint: (t) => state(style, t) },
    { title: 'TO', max: 16, cell: (r) => r.try?.destination ?? '' },
    { title: 'MIGRATION', cell: (r) => r.try?.migration ?? '' },
    { title: 'PHASE', cell: (r) => r.try?.phase ?? '', paint: (t) => state(style, t) },
    { title: 'REASON', max: 24, cell: (r) => r.try?.reason ?? '' },
  ];
  return section('Guests', indented(table(columns, guests.flatMap(rowsOf), style)), style);
}

/** In full: what is to be done about it stands in there. */
function refusedSection({ guests }: EvacuationDescription, style: Style): string {
  const lines = guests.flatMap((g) => g.refusals.map((r) => `  ${safe(`${g.owner} ${refusalText(r)}`)}\n`));
  return lines.length === 0 ? '' : section('Can’t go', lines.join(''), style);
}

const refusalText = ({ destination, field, reason }: Guest['refusals'][number]): string =>
  `${destination === null ? 'to any host' : `to ${destination}`}: ${field} ${reason}`;

/** Tells of an evacuation what is new since it was looked at before, a line each. */
export class EvacuationProgress {
  readonly #told = new Set<string>();

  constructor(private readonly style: Style) {}

  news({ guests, host }: EvacuationDescription): string[] {
    return guests.flatMap((g) => [
      ...g.tries.flatMap((t) => this.#tryLines(g, t, host)),
      ...g.refusals.flatMap((r) =>
        this.#once(`${g.owner} ${refusalText(r)}`, () => this.#line(g, 'refused', refusalText(r))),
      ),
    ]);
  }

  #tryLines(g: Guest, t: Guest['tries'][number], host: string): string[] {
    const way = `${host} > ${t.destination} (${t.migration})`;
    const begun = this.#once(`${t.migration} began`, () => this.#line(g, 'moving', way));
    if (t.phase === 'completed') {
      return [...begun, ...this.#once(`${t.migration} ended`, () => this.#line(g, 'moved', way))];
    }
    if (t.phase !== 'failed' && t.phase !== 'aborted' && t.phase !== 'unknown') return begun;
    const why = t.reason === null ? '' : `: ${t.reason}`;
    return [...begun, ...this.#once(`${t.migration} ${t.phase}`, () => this.#line(g, t.phase, way + why))];
  }

  #once(key: string, line: () => string): string[] {
    if (this.#told.has(key)) return [];
    this.#told.add(key);
    return [line()];
  }

  #line({ owner }: Guest, word: string, text: string): string {
    const gap = ' '.repeat(Math.max(0, 'refused'.length - word.length));
    return `  ${safe(owner).padEnd(16)}  ${state(this.style, word)}${gap}  ${safe(text)}\n`;
  }
}
