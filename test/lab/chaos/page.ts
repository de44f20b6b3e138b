import { LIBVIRT } from './libvirt-outcomes.js';
import { type Outcome, type Scene } from './outcomes.js';
import { QEMU } from './qemu-outcomes.js';

/** The tables of docs/migration-faults.md: made of what the tests are made of. */
export const TABLES: Readonly<Record<string, () => string>> = {
  'qemu-moments': () => momentsOf(QEMU),
  'qemu-outcomes': () => outcomesOf(QEMU),
  'libvirt-moments': () => momentsOf(LIBVIRT),
  'libvirt-outcomes': () => outcomesOf(LIBVIRT),
};

const momentsOf = ({ moments }: Scene): string =>
  table(
    ['moment', 'what it is', 'what holds it'],
    Object.entries(moments).map(([name, { means, held }]) => [name, means, held]),
  );

const outcomesOf = ({ moments, victims, outcomes }: Scene): string =>
  table(
    ['killed', ...Object.keys(moments)],
    Object.entries(victims).map(([victim, name]) => [
      name,
      ...Object.keys(moments).map((m) => said(outcomes[victim]?.[m] ?? null)),
    ]),
  );

/** The page with its tables as they are now; they stand between comments that name them. */
export const filled = (page: string): string =>
  page.replace(
    /(<!-- ([\w-]+) -->\n)[^]*?(<!-- end -->)/g,
    (whole, begin: string, name: string, end: string) => {
      const make = TABLES[name];
      return make === undefined ? whole : `${begin}\n${make()}\n\n${end}`;
    },
  );

const GUESTS = { moved: '', stayed: 'guest stays', lost: 'guest lost' } as const;

function said(outcome: Outcome | null): string {
  if (outcome === null) return '';
  const { ends, or, guest, inexact, word } = outcome;
  const parts = [
    word ? `unknown, then ${ends} by the operator’s word` : or === undefined ? ends : `${ends} or ${or}`,
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
