import { type FilterRule, type Shaping, type Teaming, type VlanPolicy } from '#domain';
import { bitRate, bytes } from './units.js';

/** Policy values in the words that `port set` takes, where it takes words. */
export function policyValue(field: string, value: unknown): string {
  switch (field) {
    case 'vlan':
      return vlan(value as VlanPolicy);
    case 'shapingIn':
    case 'shapingOut':
      return shaping(value as Shaping | null);
    case 'filter':
      return (value as readonly FilterRule[]).map(rule).join('\n') || 'no rules';
    case 'teaming':
      return teaming(value as Teaming);
    default:
      return typeof value === 'boolean' ? (value ? 'yes' : 'no') : JSON.stringify(value);
  }
}

export function vlan(v: VlanPolicy): string {
  if (v.mode === 'none') return 'none';
  if (v.mode === 'access') return String(v.id);
  return `trunk ${v.ranges.map((r) => (r.from === r.to ? r.from : `${r.from}-${r.to}`)).join(',')}`;
}

function shaping(s: Shaping | null): string {
  if (s === null) return 'not shaped';
  const peak = s.peak === s.average ? '' : `, peak ${bitRate(s.peak)}`;
  return `${bitRate(s.average)}${peak}, burst ${bytes(s.burst)}`;
}

function teaming(t: Teaming): string {
  const active = t.active.join(', ') || 'none';
  return t.standby.length === 0 ? active : `${active}; standby ${t.standby.join(', ')}`;
}

export function rule(r: FilterRule): string {
  const parts = Object.entries(r.match).map(([key, value]) => {
    if (typeof value === 'object') {
      const range = value as { from: number; to: number };
      return `${key} ${range.from === range.to ? range.from : `${range.from}-${range.to}`}`;
    }
    return key === 'etherType'
      ? `etherType 0x${Number(value).toString(16).padStart(4, '0')}`
      : `${key} ${value}`;
  });
  return `${r.action} ${r.direction}: ${parts.join(', ') || 'everything'} (${r.name})`;
}

/** The few words about a policy patch that fit into a table. */
export function patchSummary(patch: Readonly<Record<string, unknown>>): string {
  const words: string[] = [];
  const rules = patch['filter'] as readonly FilterRule[] | undefined;
  if (patch['blocked'] === true) words.push('blocked');
  if (rules !== undefined && rules.length > 0)
    words.push(`${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`);
  const shaped = ['In', 'Out']
    .filter((d) => (patch[`shaping${d}`] ?? null) !== null)
    .map((d) => d.toLowerCase());
  if (shaped.length > 0) words.push(`shaped ${shaped.join('+')}`);
  for (const field of ['promiscuous', 'macChanges', 'forgedTransmits']) {
    if (patch[field] === true) words.push(field);
  }
  if (patch['teaming'] !== undefined) words.push('teaming');
  return words.join(', ');
}
