import { type CountersView } from '#contracts/http';
import { POLICY_FIELD_NAMES } from '../policy-fields.js';
import { policyValue } from './policy.js';
import { safe, type Style } from './style.js';
import { table } from './table.js';
import { bytes, count } from './units.js';

export const section = (title: string, body: string, style: Style): string =>
  `\n${style.bold(title)}\n${body}`;
export const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

export function policyTable(entries: readonly (readonly [string, unknown, string])[], style: Style): string {
  const lines = entries.flatMap(([field, value, origin]) =>
    policyValue(field, value)
      .split('\n')
      .map((text, i) => ({ field: i === 0 ? field : '', text, origin: i === 0 ? origin : '' })),
  );
  return indented(
    table(
      [
        { title: 'FIELD', cell: (l) => l.field },
        { title: 'VALUE', max: 64, cell: (l) => l.text },
        { title: 'FROM', cell: (l) => l.origin, paint: (t) => (t === 'port' ? style.bold(t) : t) },
      ],
      lines,
      style,
    ),
  );
}

const patchRows = (patch: Readonly<Record<string, unknown>>, origin: string) =>
  POLICY_FIELD_NAMES.filter((field) => field in patch).map((field) => [field, patch[field], origin] as const);

export function policySection(
  patch: Readonly<Record<string, unknown>>,
  origin: string,
  style: Style,
): string {
  if (Object.keys(patch).length === 0) return section('Policy', '  nothing set here: all inherited\n', style);
  return section('Policy', policyTable(patchRows(patch, origin), style), style);
}

interface Exception {
  readonly host: string;
  readonly object: string;
  readonly code: string;
  readonly reason: string;
}

/** Of one kind: hundreds of ports can have one and the same. */
const SHOWN = 5;

export function exceptions(items: readonly Exception[], style: Style): string {
  if (items.length === 0) return '';
  const kinds = new Map<string, Exception[]>();
  for (const e of items) {
    const kind = `${e.code} ${e.host} ${e.reason}`;
    const all = kinds.get(kind);
    if (all === undefined) kinds.set(kind, [e]);
    else all.push(e);
  }
  const line = (e: Exception): string =>
    `  ${style.bad(e.code)} ${safe(`${e.object} on ${e.host}: ${e.reason}`)}\n`;
  const text = [...kinds.values()].map((all) => {
    const more = all.length - SHOWN;
    const rest =
      more > 0 ? `  ${style.bad(all[0]!.code)} and ${more} more of the same; -o json has them\n` : '';
    return all.slice(0, SHOWN).map(line).join('') + rest;
  });
  return section('Not carried out', text.join(''), style);
}

export function sumOf(c: CountersView, direction: 'in' | 'out'): { packets: number; bytes: number } {
  const d = c[direction];
  const parts = [d.unicast, d.multicast, d.broadcast];
  return {
    packets: parts.reduce((n, p) => n + p.packets, 0),
    bytes: parts.reduce((n, p) => n + p.bytes, 0),
  };
}

export const both = (s: { packets: number; bytes: number }): string =>
  `${count(s.packets)} pkt, ${bytes(s.bytes)}`;
