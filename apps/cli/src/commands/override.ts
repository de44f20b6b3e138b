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
  // The value in full, as in a file.
  if (/^[{[]/.test(value)) return [field, parse(value) as unknown];
  return [field, WORDS[field](value)];
}

/** What each field is in words. */
const WORDS: Readonly<Record<PolicyWord, (value: string) => unknown>> = {
  vlan,
  blocked: flag,
  promiscuous: flag,
  macChanges: flag,
  forgedTransmits: flag,
  macs,
  macLearning,
  addresses,
  shapingIn: shaping,
  shapingOut: shaping,
  filter: (value) => parse(value) as unknown,
  teaming,
  bandwidth,
  ipfix: flag,
};

export function fieldName(text: string): PolicyWord {
  const found = POLICY_FIELD_NAMES.find((f) => f.toLowerCase() === text.trim().toLowerCase());
  if (found === undefined) throw bad(`field ${text}`, `one of ${POLICY_FIELD_NAMES.join(', ')}`);
  return found;
}

function flag(value: string): boolean {
  if (/^(yes|true|on)$/i.test(value)) return true;
  if (/^(no|false|off)$/i.test(value)) return false;
  throw bad(value, 'yes or no');
}

const isNone = (value: string): boolean => /^(none|null|off|no)$/i.test(value);
const listed = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function vlan(value: string): unknown {
  if (value === 'none') return { mode: 'none' };
  if (/^[0-9]+$/.test(value)) return { mode: 'access', id: Number(value) };
  const pair = /^private[ :]([0-9]+)\/([0-9]+)$/.exec(value);
  if (pair !== null) return { mode: 'private', primary: Number(pair[1]), secondary: Number(pair[2]) };
  const native = /[ ,]+native[ :]([0-9]+)$/.exec(value);
  const ranges = value
    .slice(0, native?.index)
    .replace(/^trunk[ :]/, '')
    .split(',')
    .map((part) => /^([0-9]+)(?:-([0-9]+))?$/.exec(part.trim()));
  if (ranges.some((r) => r === null))
    throw bad(`vlan=${value}`, 'none, 20, trunk:100-199,300, trunk:20,native:5 or private:100/101');
  return {
    mode: 'trunk',
    ranges: ranges.map((r) => ({ from: Number(r?.[1]), to: Number(r?.[2] ?? r?.[1]) })),
    ...(native === null ? {} : { native: Number(native[1]) }),
  };
}

/** `02:00:00:00:00:07, shared 00:00:5e:00:01:01` */
function macs(value: string): unknown {
  if (isNone(value)) return { extra: [], shared: [] };
  const parts = listed(value);
  const shared = (part: string): boolean => /^shared /i.test(part);
  return {
    extra: parts.filter((part) => !shared(part)),
    shared: parts.filter(shared).map((part) => part.slice(7).trim()),
  };
}

/** `limit[/drop|flood[/seconds]]`, `on` for what is usual. */
function macLearning(value: string): unknown {
  if (isNone(value)) return null;
  if (/^(yes|true|on)$/i.test(value)) return {};
  const parts = /^([0-9]+)(?:\/(drop|flood)(?:\/([0-9]+))?)?$/.exec(value);
  if (parts === null)
    throw bad(`macLearning=${value}`, 'limit[/drop|flood[/seconds]], as in 64/drop/300, or none');
  const [, limit, atLimit, age] = parts;
  return {
    limit: Number(limit),
    ...(atLimit === undefined ? {} : { atLimit }),
    ...(age === undefined ? {} : { ageSeconds: Number(age) }),
  };
}

/** Prefixes, or `any`. */
function addresses(value: string): unknown {
  return isNone(value) || /^any$/i.test(value) ? null : { allow: listed(value) };
}

const MODES = ['port', 'mac', 'ip-hash', 'explicit', 'load'];

/** `[mode] uplink1,uplink2 [standby uplink3] [no-failback] [notify] [beacon]` */
function teaming(value: string): unknown {
  const words = value.replace(/\s*,\s*/g, ',').split(/[\s;]+/);
  const found: Record<string, unknown> = {};
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === 'standby') found['standby'] = listed(words.shift() ?? '');
    else if (word === 'failback' || word === 'no-failback') found['failback'] = word === 'failback';
    else if (word === 'notify' || word === 'no-notify') found['notify'] = word === 'notify';
    else if (word === 'link' || word === 'beacon') found['detection'] = word;
    else if (MODES.includes(word) && found['mode'] === undefined) found['mode'] = word;
    else if (found['active'] === undefined) found['active'] = listed(word);
    else
      throw bad(`teaming=${value}`, 'as in port uplink1,uplink2 standby uplink3 no-failback notify beacon');
  }
  return found;
}

/** `shares[/limit[/reservation[/class]]]`: shares 1 to 100 or low, normal, high; rates in bit/s, with k, M or G. */
function bandwidth(value: string): unknown {
  if (isNone(value)) return null;
  const [shares = '', limit, reservation, name, ...rest] = value.split('/').map((part) => part.trim());
  const rates = [limit, reservation].map((rate) =>
    rate === undefined || isNone(rate) || rate === '' ? null : quantity(rate),
  );
  if (rest.length > 0 || rates.includes(undefined))
    throw bad(`bandwidth=${value}`, 'shares[/limit[/reservation[/class]]], as in high/1G/100M/vm, or none');
  return {
    shares: /^[0-9]+$/.test(shares) ? Number(shares) : shares,
    limit: rates[0] ?? null,
    reservation: rates[1] ?? 0,
    ...(name === undefined ? {} : { class: name }),
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
