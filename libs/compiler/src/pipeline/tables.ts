import { type FeatureName } from './cookies.js';
import { type RegisterName } from './registers.js';

/**
 * Which way a frame goes through a table. `in`: from a port; `uplink`: from an uplink; `both`: either, on the way to its
 * receivers; `out`: one copy, to the port in `to`; `asked`: by resubmit from elsewhere, and back; `agent`: frames of the
 * agent's own, which knows the registers that are read.
 */
export type Path = 'in' | 'uplink' | 'both' | 'out' | 'asked' | 'agent';

export interface TableSpec {
  readonly number: number;
  /** Features that write flows here. */
  readonly owners: readonly FeatureName[];
  readonly path: Path;
  /** Where a `goto` may lead. */
  readonly next: readonly string[];
  /** Tables that are asked from here by resubmit, or by a group. */
  readonly asks?: readonly string[];
  readonly reads?: readonly RegisterName[];
  readonly writes?: readonly RegisterName[];
  /** The switch itself writes rows here. `fact`: they are told and kept. `cache`: they come and go unmentioned. */
  readonly learned?: 'fact' | 'cache';
}

type Specs = Readonly<Record<string, TableSpec>>;

/** In-tables after the segment is known, where the chain may go on to whichever comes next. */
const FILTERED = ['SETS_IN', 'STATE_IN', 'RULES_IN_0', 'RULES_IN_1', 'RULES_IN_2', 'RULES_IN_3'] as const;
const RULED = ['RULES_OUT_0', 'RULES_OUT_1', 'RULES_OUT_2', 'RULES_OUT_3'] as const;
/** Out-tables behind the filter. */
const SHAPED_OUT = [
  'SHAPE_OUT_PEAK',
  'SHAPE_OUT_AVERAGE',
  'LIMIT_OUT',
  'MIRROR_OUT',
  'SAMPLE_OUT',
  'OUTPUT',
] as const;
const after = (list: readonly string[], table: string): readonly string[] =>
  list.slice(list.indexOf(table) + 1);

/** How a frame gets its copies: what every flow that lists receivers does. */
const COPIES = { asks: ['DELIVER'], writes: ['to'] } as const;
const SET_BITS = ['setsSrc', 'setsSrcPorts', 'setsDst', 'setsDstPorts'] as const;
const SETS = ['SET_SRC_ADDR', 'SET_DST_ADDR', 'SET_SRC_PORT', 'SET_DST_PORT'] as const;
const RULE_READS = [...SET_BITS, 'rules', 'flags', 'segment'] as const;
const RULE_WRITES = ['flags', 'ruleTag'] as const;

/**
 * The tables a frame walks, by name. Numbers leave room; a `goto` leads to a greater one only. Each table has its
 * owner, and stands here with what it may do: `check.fixture.ts` holds compiled flows to it. A table whose owner is not
 * registered has no flows yet, and nothing leads there.
 */
const SPECS = {
  /** Which port or uplink; ports are counted here, before any policy. */
  CLASSIFY: {
    number: 0,
    owners: ['count', 'teaming', 'lacp'],
    path: 'in',
    next: ['MIRROR_IN', 'SAMPLE_IN', 'LIMIT_IN', 'SHAPE_IN_PEAK', 'UPLINK_IN', 'PVLAN_IN', 'TRAP'],
    writes: ['from', 'team', 'uplink', 'segment', 'flags'],
  },
  /** Copies of what ports and uplinks bring, as they bring it. */
  MIRROR_IN: {
    number: 2,
    owners: ['mirror'],
    path: 'both',
    next: ['SAMPLE_IN', 'LIMIT_IN', 'SHAPE_IN_PEAK', 'UPLINK_IN', 'PVLAN_IN', 'TRAP'],
    asks: ['MIRROR_TO'],
    reads: ['from', 'uplink', 'segment', 'flags'],
    writes: ['flags'],
  },
  SAMPLE_IN: {
    number: 3,
    owners: ['sampling'],
    path: 'in',
    next: ['LIMIT_IN', 'SHAPE_IN_PEAK'],
    reads: ['from'],
  },
  /** What a port may send at most, before what shaping lets it. */
  LIMIT_IN: { number: 4, owners: ['bandwidth'], path: 'in', next: ['SHAPE_IN_PEAK'], reads: ['from'] },
  SHAPE_IN_PEAK: { number: 5, owners: ['shaping'], path: 'in', next: ['SHAPE_IN_AVERAGE'], reads: ['from'] },
  SHAPE_IN_AVERAGE: {
    number: 6,
    owners: ['shaping'],
    path: 'in',
    next: ['GUARD_IN'],
    reads: ['from'],
  },
  /** What no guest may send, and blocked ports. */
  GUARD_IN: {
    number: 8,
    owners: ['guard', 'health', 'beacon'],
    path: 'in',
    next: ['SEGMENT'],
    reads: ['from'],
  },
  /** The VLAN policy makes the segment and takes the tag off. */
  SEGMENT: {
    number: 10,
    owners: ['segment', 'private-vlan'],
    path: 'in',
    next: ['SECURITY'],
    reads: ['from'],
    writes: ['segment', 'wire', 'flags'],
  },
  /** Source MAC. */
  SECURITY: {
    number: 12,
    owners: ['security'],
    path: 'in',
    next: ['SPOOF', 'GATE_IN'],
    asks: ['ACTIVITY'],
    reads: ['from'],
    writes: ['lookup', 'active'],
  },
  /** Source MACs that were learned, and where. */
  LEARNED_SRC: {
    number: 13,
    owners: ['learning'],
    path: 'asked',
    next: [],
    reads: ['segment'],
    writes: ['lookup', 'flags'],
    learned: 'cache',
  },
  /** What ARP and neighbour discovery say of MACs, against the port's own. */
  SPOOF: { number: 14, owners: ['spoofing'], path: 'in', next: ['SPOOF_SOURCE'], reads: ['from'] },
  /** Source addresses against the port's. */
  SPOOF_SOURCE: {
    number: 15,
    owners: ['spoofing'],
    path: 'in',
    next: ['SPOOF_TARGET', 'GATE_IN'],
    reads: ['from'],
  },
  /** What neighbour discovery claims. */
  SPOOF_TARGET: { number: 16, owners: ['spoofing'], path: 'in', next: ['GATE_IN'], reads: ['from'] },
  /** Is the port active here? The standby's trigger. */
  GATE_IN: {
    number: 17,
    owners: ['activity', 'learning'],
    path: 'in',
    next: ['LEARN', 'FILTER_IN'],
    asks: ['TO_UPLINK'],
    reads: ['active', 'from', 'segment'],
    writes: ['flags'],
  },
  /** Rows by lookup key: sets the active bit. */
  ACTIVITY: {
    number: 18,
    owners: ['activity'],
    path: 'asked',
    next: [],
    asks: ['LEASE'],
    reads: ['lookup', 'active'],
    writes: ['active'],
    learned: 'fact',
  },
  /** A source MAC that is not the port's: was there room to learn it? */
  LEARN: {
    number: 19,
    owners: ['learning'],
    path: 'in',
    next: ['FILTER_IN'],
    reads: ['from', 'flags', 'segment'],
  },
  /** Which list of rules holds for the port. */
  FILTER_IN: {
    number: 20,
    owners: ['filter'],
    path: 'in',
    next: [...FILTERED, 'PASSED_IN', 'FORWARD'],
    reads: ['from'],
    writes: ['rules'],
  },
  /** The sets that the frame's addresses and ports are in, a bit each. */
  SETS_IN: {
    number: 21,
    owners: ['sets'],
    path: 'in',
    next: after(FILTERED, 'SETS_IN'),
    asks: SETS,
    reads: ['rules'],
  },
  /** Is it part of a connection? */
  STATE_IN: {
    number: 22,
    owners: ['state'],
    path: 'in',
    next: ['ESTABLISHED_IN', ...after(FILTERED, 'STATE_IN')],
    asks: ['ESTABLISHED_IN'],
    reads: ['from', 'rules', 'lookup'],
    writes: ['lookup', 'flags'],
  },
  /** Answers to what a rule that still stands allowed. */
  ESTABLISHED_IN: {
    number: 23,
    owners: ['state'],
    path: 'in',
    next: [...after(FILTERED, 'STATE_IN'), 'VERDICT_IN', 'PASSED_IN', 'FORWARD'],
    asks: ['ESTABLISHED_IN'],
    reads: ['from', 'rules', 'flags', ...SET_BITS, 'segment'],
    writes: ['flags', 'ruleTag'],
  },
  /** The rules of each list, in order, by tier. */
  RULES_IN_0: {
    number: 24,
    owners: ['filter'],
    path: 'in',
    next: [...after(FILTERED, 'RULES_IN_0'), 'VERDICT_IN', 'PASSED_IN', 'FORWARD'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_IN_1: {
    number: 25,
    owners: ['filter'],
    path: 'in',
    next: [...after(FILTERED, 'RULES_IN_1'), 'VERDICT_IN', 'PASSED_IN', 'FORWARD'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_IN_2: {
    number: 26,
    owners: ['filter'],
    path: 'in',
    next: [...after(FILTERED, 'RULES_IN_2'), 'VERDICT_IN', 'PASSED_IN', 'FORWARD'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_IN_3: {
    number: 27,
    owners: ['filter'],
    path: 'in',
    next: ['VERDICT_IN', 'PASSED_IN', 'FORWARD'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  /** Connections of rules that allow are entered. */
  VERDICT_IN: {
    number: 28,
    owners: ['state', 'filter'],
    path: 'in',
    next: ['PASSED_IN', 'FORWARD'],
    reads: ['from', 'rules', 'flags', 'lookup', 'ruleTag'],
  },
  /** Counts what policy let through. */
  PASSED_IN: {
    number: 30,
    owners: ['count', 'state'],
    path: 'in',
    next: ['FORWARD'],
    reads: ['from', 'flags'],
  },
  /** What the host itself takes from the wire: neighbours, beacons, probes. */
  UPLINK_IN: {
    number: 40,
    owners: ['guard', 'discovery', 'health', 'beacon'],
    path: 'uplink',
    next: ['PVLAN_IN', 'TRAP'],
    reads: ['uplink', 'segment'],
  },
  /** The tag on the wire says the primary and who in it sent: before anything asks for the segment. */
  PVLAN_IN: {
    number: 41,
    owners: ['private-vlan'],
    path: 'uplink',
    next: ['TRAP'],
    reads: ['segment'],
    writes: ['segment', 'wire'],
  },
  /** Frames from uplinks: the armed source's trap, before the reverse path check. */
  TRAP: {
    number: 42,
    owners: ['guard', 'activity', 'refused'],
    path: 'uplink',
    next: ['REVERSE'],
    reads: ['segment'],
  },
  REVERSE: {
    number: 43,
    owners: ['activity', 'learning'],
    path: 'uplink',
    next: ['REVERSE_GATE', 'FORWARD'],
    asks: ['ACTIVITY', 'LEARNED_SRC'],
    reads: ['segment'],
    writes: ['lookup', 'active'],
  },
  REVERSE_GATE: {
    number: 44,
    owners: ['activity', 'learning', 'refused'],
    path: 'uplink',
    next: ['FORWARD'],
    asks: ['CHOSEN'],
    reads: ['active', 'lookup', 'uplink', 'flags', 'segment'],
    writes: ['flags'],
  },
  /** Does the host's lease stand? Its ports of groups that isolate are active for as long. */
  LEASE: {
    number: 45,
    owners: ['lease'],
    path: 'asked',
    next: [],
    reads: ['lookup'],
    writes: ['active'],
    learned: 'cache',
  },
  /** The agent renews the lease here, if what it asked still stands. */
  RENEW: { number: 46, owners: ['lease'], path: 'agent', next: [], reads: ['active'] },
  /** What the agent says for a port of a group that isolates leaves only while the port is active. */
  ANNOUNCE: { number: 47, owners: ['lease'], path: 'agent', next: [], reads: ['active', 'chosen'] },
  /** By (segment, MAC). */
  FORWARD: {
    number: 50,
    owners: ['forward', 'flood', 'multicast', 'learning', 'mirror'],
    path: 'both',
    next: ['RESIDENT', 'MCAST', 'UNKNOWN', 'TO_PNIC'],
    asks: ['ACTIVITY', 'CHOSEN', 'DELIVER', 'LEARNED_DST'],
    reads: ['segment', 'from', 'active'],
    writes: ['to', 'lookup', 'active', 'team'],
  },
  /** Is the owner of the destination MAC active here? */
  RESIDENT: {
    number: 51,
    owners: ['forward'],
    path: 'both',
    next: ['SNOOP', 'UNKNOWN'],
    reads: ['active'],
  },
  /** Copies to promiscuous ports. */
  SNOOP: {
    number: 52,
    owners: ['flood'],
    path: 'both',
    next: ['DISPATCH_OUT'],
    ...COPIES,
    reads: ['segment', 'to'],
  },
  /** Unicast for nobody here. */
  UNKNOWN: {
    number: 53,
    owners: ['forward', 'flood'],
    path: 'both',
    next: ['TO_PNIC'],
    asks: ['CHOSEN', 'DELIVER'],
    reads: ['segment', 'from'],
    writes: ['to', 'team'],
  },
  /** Multicast by group address, where it is filtered. */
  MCAST: {
    number: 54,
    owners: ['multicast'],
    path: 'both',
    next: ['TO_PNIC'],
    asks: ['CHOSEN', 'DELIVER'],
    reads: ['segment', 'from'],
    writes: ['to', 'team', 'flags'],
  },
  /** Frames from the uplink that a teaming order is pinned to, to the ports of that order. */
  FLOOD_IN: {
    number: 55,
    owners: ['flood', 'multicast'],
    path: 'asked',
    next: [],
    ...COPIES,
    reads: ['segment', 'team', 'flags'],
  },
  /** One copy of a flooded frame, to the port in the egress register. */
  DELIVER: {
    number: 56,
    owners: ['flood'],
    path: 'out',
    next: ['DELIVER_GATE'],
    asks: ['ACTIVITY'],
    reads: ['to'],
    writes: ['lookup', 'active'],
  },
  DELIVER_GATE: {
    number: 57,
    owners: ['flood'],
    path: 'out',
    next: ['DISPATCH_OUT'],
    reads: ['active'],
  },
  /** Never back to the sender, nor to a blocked port; then to the first table that the port has use for. */
  DISPATCH_OUT: {
    number: 60,
    owners: ['dispatch', 'guard', 'pnic'],
    path: 'out',
    next: ['PVLAN_OUT', 'FILTER_OUT', ...SHAPED_OUT],
    reads: ['from', 'to'],
  },
  /** Who in a private VLAN hears whom. */
  PVLAN_OUT: {
    number: 61,
    owners: ['private-vlan'],
    path: 'out',
    next: ['FILTER_OUT', ...SHAPED_OUT],
    reads: ['to', 'wire', 'segment'],
  },
  /** Which list of rules holds for the port. */
  FILTER_OUT: {
    number: 62,
    owners: ['filter'],
    path: 'out',
    next: ['SETS_OUT', 'STATE_OUT', ...RULED],
    reads: ['to'],
    writes: ['rules'],
  },
  SETS_OUT: {
    number: 63,
    owners: ['sets'],
    path: 'out',
    next: ['STATE_OUT', ...RULED],
    asks: SETS,
    reads: ['rules'],
  },
  STATE_OUT: {
    number: 64,
    owners: ['state'],
    path: 'out',
    next: ['ESTABLISHED_OUT', ...RULED],
    asks: ['ESTABLISHED_OUT'],
    reads: ['to', 'rules', 'lookup'],
    writes: ['lookup', 'flags'],
  },
  ESTABLISHED_OUT: {
    number: 65,
    owners: ['state'],
    path: 'out',
    next: [...RULED, 'VERDICT_OUT', 'PASSED_OUT'],
    asks: ['ESTABLISHED_OUT'],
    reads: ['to', 'rules', 'flags', ...SET_BITS, 'segment'],
    writes: ['flags', 'ruleTag'],
  },
  RULES_OUT_0: {
    number: 66,
    owners: ['filter'],
    path: 'out',
    next: [...after(RULED, 'RULES_OUT_0'), 'VERDICT_OUT', 'PASSED_OUT'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_OUT_1: {
    number: 67,
    owners: ['filter'],
    path: 'out',
    next: [...after(RULED, 'RULES_OUT_1'), 'VERDICT_OUT', 'PASSED_OUT'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_OUT_2: {
    number: 68,
    owners: ['filter'],
    path: 'out',
    next: [...after(RULED, 'RULES_OUT_2'), 'VERDICT_OUT', 'PASSED_OUT'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  RULES_OUT_3: {
    number: 69,
    owners: ['filter'],
    path: 'out',
    next: ['VERDICT_OUT', 'PASSED_OUT'],
    reads: RULE_READS,
    writes: RULE_WRITES,
  },
  VERDICT_OUT: {
    number: 70,
    owners: ['state', 'filter'],
    path: 'out',
    next: ['PASSED_OUT'],
    reads: ['to', 'rules', 'flags', 'lookup', 'ruleTag'],
  },
  /** Rules are shared by ports that differ in what comes behind: here each port goes on its own way again. */
  PASSED_OUT: {
    number: 71,
    owners: ['dispatch', 'state'],
    path: 'out',
    next: SHAPED_OUT,
    reads: ['to', 'flags'],
  },
  SHAPE_OUT_PEAK: {
    number: 73,
    owners: ['shaping'],
    path: 'out',
    next: after(SHAPED_OUT, 'SHAPE_OUT_PEAK'),
    reads: ['to'],
  },
  SHAPE_OUT_AVERAGE: {
    number: 74,
    owners: ['shaping'],
    path: 'out',
    next: after(SHAPED_OUT, 'SHAPE_OUT_AVERAGE'),
    reads: ['to'],
  },
  LIMIT_OUT: {
    number: 75,
    owners: ['bandwidth'],
    path: 'out',
    next: after(SHAPED_OUT, 'LIMIT_OUT'),
    reads: ['to'],
  },
  MIRROR_OUT: {
    number: 76,
    owners: ['mirror'],
    path: 'out',
    next: after(SHAPED_OUT, 'MIRROR_OUT'),
    asks: ['MIRROR_TO'],
    reads: ['to', 'segment', 'flags'],
    writes: ['flags'],
  },
  SAMPLE_OUT: {
    number: 77,
    owners: ['sampling'],
    path: 'out',
    next: after(SHAPED_OUT, 'SAMPLE_OUT'),
    reads: ['to', 'from'],
  },
  /** Count, tag, output. */
  OUTPUT: { number: 79, owners: ['output'], path: 'out', next: [], reads: ['to', 'segment', 'flags'] },
  /** Counts what leaves the host, by port. */
  TO_PNIC: { number: 78, owners: ['pnic'], path: 'both', next: ['TO_UPLINK'], reads: ['from'] },
  /** Tag and ask the group which uplink carries the port. */
  TO_UPLINK: {
    number: 80,
    owners: ['teaming'],
    path: 'both',
    next: [],
    asks: ['CHOSEN'],
    reads: ['team', 'segment', 'wire', 'flags'],
    writes: ['wire'],
  },
  /** An uplink was chosen by a group. */
  CHOSEN: {
    number: 82,
    owners: ['teaming', 'learning'],
    path: 'asked',
    next: ['CLASS_UP', 'UPLINK_OUT'],
    asks: ['FLOOD_IN', 'FORWARD'],
    reads: ['from', 'chosen', 'uplink', 'team', 'flags', 'segment'],
    writes: ['flags', 'chosen'],
  },
  /** Meters of the traffic classes. */
  CLASS_UP: {
    number: 83,
    owners: ['bandwidth'],
    path: 'asked',
    next: ['UPLINK_OUT'],
    reads: ['chosen', 'flags'],
  },
  /** The last before an uplink: its mirrors. */
  UPLINK_OUT: {
    number: 84,
    owners: ['teaming', 'mirror'],
    path: 'asked',
    next: [],
    asks: ['MIRROR_TO'],
    reads: ['chosen'],
    writes: ['flags'],
  },
  /** One copy, by its mirror. */
  MIRROR_TO: {
    number: 85,
    owners: ['mirror'],
    path: 'asked',
    next: ['MIRROR_COUNT'],
    reads: ['flags', 'from', 'active'],
    writes: ['active'],
  },
  /** It counts as what any other frame counts as that the port is handed. */
  MIRROR_COUNT: { number: 86, owners: ['mirror'], path: 'asked', next: [], reads: ['flags'] },
  /** Bits of the sets that an address, or a port by its MAC, is in. */
  SET_SRC_ADDR: { number: 90, owners: ['sets'], path: 'asked', next: [], writes: ['setsSrc'] },
  SET_DST_ADDR: { number: 91, owners: ['sets'], path: 'asked', next: [], writes: ['setsDst'] },
  SET_SRC_PORT: {
    number: 92,
    owners: ['sets'],
    path: 'asked',
    next: [],
    reads: ['segment'],
    writes: ['setsSrcPorts'],
  },
  SET_DST_PORT: {
    number: 93,
    owners: ['sets'],
    path: 'asked',
    next: [],
    reads: ['segment'],
    writes: ['setsDstPorts'],
  },
  /** Where a learned MAC is. 100 to 109 are left free for service chains. */
  LEARNED_DST: {
    number: 110,
    owners: ['learning'],
    path: 'asked',
    next: [],
    reads: ['segment'],
    writes: ['to', 'lookup'],
    learned: 'cache',
  },
} as const satisfies Specs;

export type TableName = keyof typeof SPECS;

export const PIPELINE: Readonly<Record<TableName, TableSpec>> = SPECS;

/** Numbers by name. */
export const TABLES = Object.fromEntries(
  Object.entries(SPECS).map(([name, { number }]) => [name, number]),
) as { readonly [N in TableName]: number };

/** Names by number, for text forms and explanations. */
export const TABLE_NAMES: ReadonlyMap<number, TableName> = new Map(
  Object.entries(TABLES).map(([name, number]) => [number, name as TableName]),
);
