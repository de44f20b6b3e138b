import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Figure } from '../support/figure.js';

/** One line of the plot: a figure of every size, by the number of hosts. */
interface Line {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly (readonly [hosts: number, value: number])[];
}

const BEGIN = '<!-- figures: written by the bench -->';
const END = '<!-- end of figures -->';

/** Writes what was measured into `docs/scale.md`, between its marks, and the plot beside it. */
export async function writeGrowth(root: string, figures: readonly Figure[], machine: string): Promise<void> {
  const page = join(root, 'docs', 'scale.md');
  const text = await readFile(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has no place for the figures`);
  const lines = linesOf(figures);
  if (lines.length === 0) throw new Error('nothing was measured at more than one size: docs/scale.md stays');
  const table = [BEGIN, '', machine, '', ...tableOf(figures), ''].join('\n');
  await writeFile(page, `${text.slice(0, begin)}${table}\n${text.slice(end)}`);
  await writeFile(join(root, 'docs', 'scale.svg'), svgOf(lines));
}

const hostsOf = (figure: Figure): number => Number(figure.detail?.['hosts'] ?? NaN);

function tableOf(figures: readonly Figure[]): string[] {
  const rows = figures.map(({ what, unit, spread: s, failed, target, detail }) => {
    const verdict =
      failed === undefined ? (target === undefined ? '' : target.met ? 'met' : 'missed') : 'failed';
    const numbers = [s.p50, s.p99, s.max].map((n) => (Number.isFinite(n) ? String(n) : ''));
    return [
      String(detail?.['hosts'] ?? ''),
      what,
      unit,
      ...numbers,
      String(s.n),
      target?.text ?? '',
      verdict,
    ];
  });
  const head = ['hosts', 'what', 'unit', 'p50', 'p99', 'max', 'n', 'target', ''];
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((n) => '-'.repeat(n))), ...rows.map(line)];
}

/** Figures without their numbers of hosts are the same thing at another size. */
const subject = (what: string): string =>
  what.replaceAll(/\b\d+ (?=hosts)/g, '').replace(/^hosts \d+ to \d+ /, '');

function linesOf(figures: readonly Figure[]): Line[] {
  const lines = new Map<string, { unit: string; points: [number, number][] }>();
  const add = (name: string, unit: string, hosts: number, value: number): void => {
    if (!Number.isFinite(value)) return;
    const line = lines.get(name) ?? { unit, points: [] };
    line.points.push([hosts, value]);
    lines.set(name, line);
  };
  for (const figure of figures) {
    const hosts = hostsOf(figure);
    add(subject(figure.what), figure.unit, hosts, figure.spread.p50);
    if (figure.unit === 'MB') sizes(figure, (name, mb) => add(name, 'MB', hosts, mb));
  }
  return [...lines].filter(([, { points }]) => points.length > 1).map(([name, line]) => ({ name, ...line }));
}

/** What processes and streams take, as the figure of memory tells it. */
function sizes({ detail }: Figure, add: (name: string, mb: number) => void): void {
  const found = (of: string) => Object.entries((detail?.[of] ?? {}) as Record<string, number | null>);
  for (const [name, mb] of found('residentMb')) if (mb !== null) add(`memory of ${name}`, mb);
  for (const [name, mb] of found('streamsMb')) if (mb !== null && mb > 1) add(`stream ${name}`, mb);
}

const [WIDTH, HEIGHT, COLUMNS] = [300, 190, 3];
const [LEFT, TOP, RIGHT, BOTTOM] = [52, 34, 12, 26];

/** A small plot for each line, all from zero: what grows with the hosts is straight. */
function svgOf(lines: readonly Line[]): string {
  const rows = Math.ceil(lines.length / COLUMNS);
  const plots = lines.map((line, i) => {
    const [x, y] = [(i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${plotOf(line)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${COLUMNS * WIDTH}" height="${rows * HEIGHT}" font-family="sans-serif" font-size="10">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...plots,
    '</svg>',
    '',
  ].join('\n');
}

function plotOf({ name, unit, points }: Line): string {
  const most = { hosts: Math.max(...points.map((p) => p[0])), value: Math.max(...points.map((p) => p[1])) };
  const x = (hosts: number): number => Math.round(LEFT + (hosts / most.hosts) * (WIDTH - LEFT - RIGHT));
  const y = (value: number): number =>
    Math.round(HEIGHT - BOTTOM - (value / (most.value || 1)) * (HEIGHT - TOP - BOTTOM));
  const path = points.map(([hosts, value]) => `${x(hosts)},${y(value)}`).join(' ');
  const dots = points.map(([hosts, value]) => `<circle cx="${x(hosts)}" cy="${y(value)}" r="2.5"/>`);
  const ticks = points.map(
    ([hosts]) => `<text x="${x(hosts)}" y="${HEIGHT - 12}" text-anchor="middle">${hosts}</text>`,
  );
  const axis = `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`;
  return [
    `<text x="8" y="16" font-weight="bold">${escaped(name.length > 52 ? `${name.slice(0, 51)}…` : name)}</text>`,
    `<text x="${LEFT - 4}" y="${TOP + 4}" text-anchor="end">${most.value} ${unit}</text>`,
    `<text x="${LEFT - 4}" y="${HEIGHT - BOTTOM}" text-anchor="end">0</text>`,
    `<path d="${axis}" fill="none" stroke="#888"/>`,
    `<polyline points="${path}" fill="none" stroke="#1565c0" stroke-width="1.5"/>`,
    `<g fill="#1565c0">${dots.join('')}</g>`,
    ...ticks,
  ].join('');
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
