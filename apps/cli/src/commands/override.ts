import { parse } from 'yaml';
import { POLICY_FIELD_NAMES, type PolicyWord } from '../policy-fields.js';
import { CliError, EXIT } from '../exit.js';

const bad = (text: string, expected: string): CliError =>
  new CliError(EXIT.usage, `${text}: is not understood; expected ${expected}`);

/** `field=value` as people write it → the field and its JSON value. The server has the last word on values. */
export function assignment(text: string): readonly [PolicyWord, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw bad(text, 'field=value, as in vlan=20 or blocked=yes');
  const field = fieldName(text.slice(0, at));
  const value = text.slice(at + 1).trim();
  if (field === 'vlan') return [field, vlan(value)];
  if (field === 'shapingIn' || field === 'shapingOut') return [field, shaping(value)];
  if (field === 'filter' || field === 'teaming') return [field, parse(value) as unknown];
  return [field, flag(value, text)];
}

export function fieldName(text: string): PolicyWord {
  const found = POLICY_FIELD_NAMES.find((f) => f.toLowerCase() === text.trim().toLowerCase());
  if (found === undefined) throw bad(`field ${text}`, `one of ${POLICY_FIELD_NAMES.join(', ')}`);
  return found;
}

function flag(value: string, text: string): boolean {
  if (/^(yes|true|on)$/i.test(value)) return true;
  if (/^(no|false|off)$/i.test(value)) return false;
  throw bad(text, 'yes or no');
}

function vlan(value: string): unknown {
  if (value === 'none') return { mode: 'none' };
  if (/^[0-9]+$/.test(value)) return { mode: 'access', id: Number(value) };
  const ranges = value
    .replace(/^trunk[ :]/, '')
    .split(',')
    .map((part) => /^([0-9]+)(?:-([0-9]+))?$/.exec(part.trim()));
  if (ranges.some((r) => r === null)) throw bad(`vlan=${value}`, 'none, 20, trunk:20 or trunk:100-199,300');
  return {
    mode: 'trunk',
    ranges: ranges.map((r) => ({ from: Number(r?.[1]), to: Number(r?.[2] ?? r?.[1]) })),
  };
}

/** `average[/peak[/burst]]`: rates in bit/s, burst in bytes, with k, M or G. Burst defaults to 100 ms of the peak. */
function shaping(value: string): unknown {
  if (/^(none|null|off)$/i.test(value)) return null;
  const numbers = value.split('/').map(quantity);
  const [average, peak = average, burst] = numbers;
  if (numbers.length > 3 || numbers.includes(undefined) || average === undefined || peak === undefined) {
    throw bad(`shaping ${value}`, 'average[/peak[/burst]], as in 10M/20M/256k, or none');
  }
  return { average, peak, burst: burst ?? Math.max(65_536, Math.round(peak / 80)) };
}

function quantity(text: string): number | undefined {
  const m = /^([0-9]+(?:\.[0-9]+)?)([kKmMgG]?)$/.exec(text.trim());
  if (m === null) return undefined;
  const factor = { '': 1, k: 1e3, m: 1e6, g: 1e9 }[(m[2] ?? '').toLowerCase()] ?? 1;
  return Math.round(Number(m[1]) * factor);
}
