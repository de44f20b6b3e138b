import {
  type Addresses,
  type Bandwidth,
  type Filter,
  type FilterRule,
  type MacLearning,
  type Macs,
  type Shaping,
  type TcpFlags,
  type Teaming,
  type VlanPolicy,
} from '#domain';
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
      return filter(value as Filter);
    case 'teaming':
      return teaming(value as Teaming);
    case 'macs':
      return macs(value as Macs);
    case 'macLearning':
      return macLearning(value as MacLearning | null);
    case 'addresses':
      return addresses(value as Addresses | null);
    case 'bandwidth':
      return bandwidth(value as Bandwidth | null);
    default:
      return typeof value === 'boolean' ? (value ? 'yes' : 'no') : JSON.stringify(value);
  }
}

export function vlan(v: VlanPolicy): string {
  if (v.mode === 'none') return 'none';
  if (v.mode === 'access') return String(v.id);
  if (v.mode === 'private') return `private ${v.primary}/${v.secondary}`;
  const native = v.native === undefined ? '' : `, native ${v.native}`;
  return `trunk ${v.ranges.map((r) => (r.from === r.to ? r.from : `${r.from}-${r.to}`)).join(',')}${native}`;
}

function macs({ extra, shared }: Macs): string {
  return [...extra, ...shared.map((mac) => `shared ${mac}`)].join(', ') || 'its own only';
}

function macLearning(l: MacLearning | null): string {
  if (l === null) return 'no learning';
  const flooded = l.floodUnknown ? ', gets unknown unicast' : '';
  return `up to ${l.limit}, then ${l.atLimit}, for ${l.ageSeconds} s${flooded}`;
}

function addresses(a: Addresses | null): string {
  if (a === null) return 'any';
  const unchecked = (['arp', 'nd'] as const).filter((what) => !a[what]).map((what) => `${what} unchecked`);
  return [a.allow.join(', ') || 'none', ...unchecked, ...(a.dhcp ? [] : ['no DHCP'])].join('; ');
}

function bandwidth(b: Bandwidth | null): string {
  if (b === null) return 'not set';
  const limit = b.limit === null ? '' : `, at most ${bitRate(b.limit)}`;
  const sure = b.reservation === 0 ? '' : `, ${bitRate(b.reservation)} reserved`;
  return `${b.shares} shares of ${b.class}${limit}${sure}`;
}

function filter({ stateful, default: rest, rules }: Filter): string {
  const head = [...(stateful ? ['stateful'] : []), ...(rest === 'drop' ? ['drops what no rule takes'] : [])];
  return [...(head.length === 0 ? [] : [head.join(', ')]), ...rules.map(rule)].join('\n') || 'no rules';
}

function shaping(s: Shaping | null): string {
  if (s === null) return 'not shaped';
  const peak = s.peak === s.average ? '' : `, peak ${bitRate(s.peak)}`;
  return `${bitRate(s.average)}${peak}, burst ${bytes(s.burst)}`;
}

function teaming(t: Teaming): string {
  const active = t.active.join(', ') || 'none';
  return [
    t.mode === 'explicit' ? active : `${t.mode} ${active}`,
    ...(t.standby.length === 0 ? [] : [`standby ${t.standby.join(', ')}`]),
    ...(t.failback ? [] : ['no-failback']),
    ...(t.notify ? ['notify'] : []),
    ...(t.detection === 'beacon' ? ['beacon'] : []),
  ].join('; ');
}

export function rule(r: FilterRule): string {
  const parts = Object.entries(r.match).map(([key, value]) => {
    if (key === 'tcpFlags') return tcpFlags(value as TcpFlags);
    if (typeof value === 'object') {
      const range = value as { from: number; to: number };
      return `${key} ${range.from === range.to ? range.from : `${range.from}-${range.to}`}`;
    }
    return key === 'etherType'
      ? `etherType 0x${Number(value).toString(16).padStart(4, '0')}`
      : `${key} ${value}`;
  });
  const more = [
    ...(r.mark?.dscp === undefined ? [] : [`mark dscp ${r.mark.dscp}`]),
    ...(r.mark?.cos === undefined ? [] : [`mark cos ${r.mark.cos}`]),
    ...(r.rate === undefined ? [] : [`at most ${r.rate.rate} ${r.rate.unit}`]),
    ...(r.log === undefined ? [] : [`log ${r.log.perSecond}/s`]),
    ...(r.enabled ? [] : ['switched off']),
  ];
  const tier = r.tier === 1 ? '' : `tier ${r.tier}: `;
  const does = `${r.action} ${r.direction}: ${parts.join(', ') || 'everything'}`;
  return `${tier}${[does, ...more].join('; ')} (${r.name})`;
}

const tcpFlags = ({ set, clear }: TcpFlags): string =>
  `tcpFlags ${[...set.map((flag) => `+${flag}`), ...clear.map((flag) => `-${flag}`)].join('')}`;

/** The few words about a policy patch that fit into a table. */
export function patchSummary(patch: Readonly<Record<string, unknown>>): string {
  const words: string[] = [];
  const rules = (patch['filter'] as Filter | undefined)?.rules;
  if (patch['blocked'] === true) words.push('blocked');
  if (rules !== undefined && rules.length > 0)
    words.push(`${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`);
  const shaped = ['In', 'Out']
    .filter((d) => (patch[`shaping${d}`] ?? null) !== null)
    .map((d) => d.toLowerCase());
  if (shaped.length > 0) words.push(`shaped ${shaped.join('+')}`);
  for (const field of ['promiscuous', 'macChanges', 'forgedTransmits', 'ipfix']) {
    if (patch[field] === true) words.push(field);
  }
  if (patch['teaming'] !== undefined) words.push('teaming');
  for (const [field, word] of [
    ['macLearning', 'learns MACs'],
    ['addresses', 'addresses checked'],
    ['bandwidth', 'bandwidth'],
  ] as const) {
    if ((patch[field] ?? null) !== null) words.push(word);
  }
  return words.join(', ');
}
