import { safe, type Style } from './style.js';

export interface Column<Row> {
  readonly title: string;
  readonly right?: boolean;
  /** Longest shown, in characters; the rest is cut with an ellipsis. */
  readonly max?: number;
  cell(row: Row): string;
  /** Colours the finished cell; must not change its width. */
  paint?(text: string, row: Row): string;
}

const GAP = '  ';

/** Aligned columns under a dim head. Columns that are empty in every row are left out. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], style: Style): string {
  const shown = columns
    .map((column) => ({ column, cells: rows.map((row) => cut(safe(column.cell(row)), column.max)) }))
    .filter(({ cells }) => rows.length === 0 || cells.some((cell) => cell !== ''));
  const widths = shown.map(({ column, cells }) =>
    Math.max(column.title.length, ...cells.map((cell) => [...cell].length)),
  );
  const head = shown.map(({ column }, i) => pad(column.title, widths[i] ?? 0, column.right));
  const lines = [style.dim(head.join(GAP).trimEnd())];
  rows.forEach((row, r) => {
    const parts = shown.map(({ column, cells }, i) => {
      const padded = pad(cells[r] ?? '', widths[i] ?? 0, column.right);
      const last = i === shown.length - 1 ? padded.trimEnd() : padded;
      const text = last.trim();
      return column.paint === undefined || text === ''
        ? last
        : last.replace(text, () => column.paint?.(text, row) ?? text);
    });
    lines.push(parts.join(GAP).trimEnd());
  });
  return `${lines.join('\n')}\n`;
}

/** `label  value` lines with the labels aligned; continuation lines are indented. */
export function facts(pairs: readonly (readonly [string, string])[], style: Style, indent = ''): string {
  const width = Math.max(...pairs.map(([label]) => label.length));
  return pairs
    .map(([label, value]) => {
      const [first = '', ...more] = value.split('\n');
      const rest = more.map((line) => `${indent}${' '.repeat(width + 2)}${line}`);
      return [`${indent}${style.dim(label.padEnd(width))}  ${first}`.trimEnd(), ...rest].join('\n');
    })
    .join('\n')
    .concat('\n');
}

function cut(text: string, max: number | undefined): string {
  const letters = [...text];
  return max === undefined || letters.length <= max ? text : `${letters.slice(0, max - 1).join('')}…`;
}

function pad(text: string, width: number, right: boolean | undefined): string {
  const space = ' '.repeat(Math.max(0, width - [...text].length));
  return right === true ? space + text : text + space;
}
