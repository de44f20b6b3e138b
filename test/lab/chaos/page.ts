import { MOMENTS, moments, OUTCOMES, VICTIMS, victims, type Outcome } from './outcomes.js';

/** The tables of docs/migration-faults.md: made of what the tests are made of. */
export const TABLES: Readonly<Record<string, () => string>> = {
  moments: () =>
    table(
      ['moment', 'what it is', 'what holds it'],
      moments.map((m) => [m, MOMENTS[m].means, MOMENTS[m].held]),
    ),
  outcomes: () =>
    table(
      ['killed', ...moments],
      victims.map((v) => [VICTIMS[v], ...moments.map((m) => said(OUTCOMES[v][m]))]),
    ),
};

/** The page with its tables as they are now; they stand between comments that name them. */
export const filled = (page: string): string =>
  page.replace(
    /(<!-- (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (whole, begin: string, name: string, end: string) => {
      const make = TABLES[name];
      return make === undefined ? whole : `${begin}\n${make()}\n\n${end}`;
    },
  );

const GUESTS = { moved: '', stayed: 'guest stays', lost: 'guest lost' } as const;

function said(outcome: Outcome | null): string {
  if (outcome === null) return '';
  const { ends, guest, inexact, word } = outcome;
  const parts = [
    word ? `unknown, then ${ends} by the operator’s word` : ends,
    GUESTS[guest],
    inexact === undefined ? '' : `${inexact.join(', ')} inexact`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** As prettier formats it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((h, i) => Math.max(h.length, 3, ...rows.map((r) => r[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c, i) => c.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n');
}
