import { TABLES, type LocalFacts, type MulticastFacts, type TableName } from '#compiler';
import {
  type Action,
  type BridgeState,
  type DataplaneState,
  type Flow,
  type Group,
  type Meter,
} from '#openflow';
import { type Kind } from '../cases/policies.js';
import { type World } from '../model/world.js';
import { documentsOf } from './documents.js';
import { type Wrong } from './rig-host.js';
import { type Rig } from './rig.js';

/** A flow that frames of a case went by: its table, priority and cookie, as a trace names them. */
export type Hit = string;

export const hitsOf = (trace: string): Hit[] =>
  [...trace.matchAll(/^ *([0-9]+)\. (?:.*, )?priority ([0-9]+), cookie (0x[0-9a-f]+)$/gm)].map(
    ([, table, priority, cookie]) => `${table} ${priority} ${BigInt(cookie as string)}`,
  );

const hitOf = ({ table, priority, cookie }: Flow): Hit => `${table} ${priority} ${cookie}`;

/** What may go wrong with a compiled switch. */
export interface Fault {
  readonly name: string;
  /** What a flow, or a group, becomes: null if it goes, itself if it is none that the fault is of. */
  readonly flow?: (flow: Flow) => Flow | null;
  readonly group?: (group: Group) => Group;
  /**
   * Of all flows that it is of, whether a trace went by them or not, and looked for with packets: answers, of which traces
   * know nothing, or rows that a trace tells from each other by nothing.
   */
  readonly inAll?: true;
  /** Of cases of this kind: all of it is wrong from the beginning to the end, what comes of later facts too. */
  readonly kind?: Kind;
  readonly meter?: (meter: Meter) => Meter;
  readonly facts?: (facts: LocalFacts) => LocalFacts;
}

const missing = (table: TableName): Fault => ({
  name: `a flow of ${table} is missing`,
  flow: (flow) => (flow.table === TABLES[table] ? null : flow),
});

const emptied = (table: TableName): Fault => ({ ...missing(table), name: `${table} is empty`, inAll: true });

const changed = (name: string, change: (actions: readonly Action[]) => readonly Action[]): Fault => ({
  name,
  flow: (flow) => {
    const actions = change(flow.actions);
    return JSON.stringify(actions, digits) === JSON.stringify(flow.actions, digits)
      ? flow
      : { ...flow, actions };
  },
});

const digits = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

const REMOVED = [
  ...(['CLASSIFY', 'GUARD_IN', 'SEGMENT', 'SECURITY', 'SPOOF_SOURCE', 'ACTIVITY', 'FILTER_IN'] as const),
  ...(['RULES_IN_1', 'PVLAN_IN', 'REVERSE', 'FORWARD', 'FLOOD_IN', 'DISPATCH_OUT', 'PVLAN_OUT'] as const),
  ...(['RULES_OUT_1', 'OUTPUT', 'TO_UPLINK'] as const),
] satisfies readonly TableName[];

const EMPTIED = [
  ...(['SET_SRC_ADDR', 'SET_DST_ADDR', 'SET_SRC_PORT', 'SET_DST_PORT'] as const),
  ...(['MIRROR_IN', 'MIRROR_OUT', 'UPLINK_OUT', 'MIRROR_TO'] as const),
];

const isLearning = ({ kind }: Action): boolean => kind === 'learn';

const OF_LEARNING: readonly Fault[] = [
  {
    name: 'nothing is learned',
    flow: (flow) =>
      flow.table === TABLES.GATE_IN && flow.actions.some(isLearning)
        ? { ...flow, actions: [{ kind: 'goto', table: TABLES.FILTER_IN }] }
        : flow,
  },
  changed('a MAC more than the limit is learned', (actions) =>
    actions.map((a) => (a.kind === 'learn' && a.limit !== undefined ? { ...a, limit: a.limit + 1 } : a)),
  ),
  {
    name: 'a MAC that moved is taken for one that is here',
    flow: (flow) =>
      flow.table === TABLES.CHOSEN || flow.table === TABLES.REVERSE_GATE
        ? { ...flow, actions: flow.actions.filter((a) => !isLearning(a)) }
        : flow,
  },
  { ...missing('LEARN'), name: 'LEARN is empty' },
  {
    name: 'what comes back is taken for new',
    flow: (flow) => (flow.table === TABLES.REVERSE && flow.priority === 10 ? null : flow),
  },
  {
    name: 'nobody is found behind a port',
    flow: (flow) => (asks(flow, TABLES.LEARNED_DST) ? null : flow),
  },
];
const LEARNING = OF_LEARNING.map((fault): Fault => ({ ...fault, kind: 'learning' }));

const asks = ({ actions }: Flow, table: number): boolean =>
  actions.some((a) => a.kind === 'resubmit' && a.table === table);

const ofGroups = (name: string, change: (facts: MulticastFacts) => MulticastFacts): Fault => ({
  name,
  kind: 'groups',
  facts: (facts) => ({
    ...facts,
    multicast: Object.fromEntries(
      Object.entries(facts.multicast ?? {}).map(([bridge, known]) => [bridge, change(known)]),
    ),
  }),
});

const GROUPS: readonly Fault[] = [
  ofGroups('members are forgotten', (known) => ({ ...known, groups: [] })),
  ofGroups('routers are forgotten', (known) => ({ ...known, routers: [] })),
  ofGroups('a group is taken for another', (known) => ({
    ...known,
    groups: known.groups.map((g) => ({ ...g, group: { ...g.group, address: g.group.address ^ 0x80_0000n } })),
  })),
  {
    name: 'groups are not filtered',
    kind: 'groups',
    flow: (flow) =>
      flow.table === TABLES.FORWARD && flow.priority === 170 && leadsTo(flow, TABLES.MCAST) ? null : flow,
  },
  {
    ...changed('the agent is told of no message', (actions) =>
      actions.filter((a) => a.kind !== 'controller'),
    ),
    kind: 'groups',
  },
];

const leadsTo = ({ actions }: Flow, table: number): boolean =>
  actions.some((a) => a.kind === 'goto' && a.table === table);

const LINKS: readonly Fault[] = [
  {
    name: 'it is forgotten which uplinks failed',
    kind: 'links',
    facts: ({ teaming, ...facts }) =>
      teaming === undefined ? facts : { ...facts, teaming: { ...teaming, passedOver: {} } },
  },
];

const LIMITS: readonly Fault[] = [
  {
    name: 'limits let twice as much through',
    kind: 'limits',
    meter: (meter) =>
      meter.rate === 1 && meter.burst !== undefined ? { ...meter, burst: 2 * meter.burst } : meter,
  },
  {
    ...changed('what is sent is not limited', (actions) => actions.filter((a) => a.kind !== 'meter')),
    kind: 'limits',
  },
];

const ESTABLISHED: readonly number[] = [TABLES.ESTABLISHED_IN, TABLES.ESTABLISHED_OUT];

/** Where a frame goes on that such a table lets pass. */
const PASSING: Readonly<Record<number, number>> = {
  [TABLES.GUARD_IN]: TABLES.SEGMENT,
  [TABLES.SPOOF]: TABLES.GATE_IN,
  [TABLES.SPOOF_SOURCE]: TABLES.GATE_IN,
  [TABLES.RULES_IN_1]: TABLES.PASSED_IN,
  [TABLES.RULES_OUT_1]: TABLES.PASSED_OUT,
};

export const FAULTS: readonly Fault[] = [
  ...REMOVED.map(missing),
  ...EMPTIED.map(emptied),
  changed('a frame goes out by another device', (actions) =>
    actions.map((a) =>
      a.kind === 'output' && typeof a.port === 'number' ? { ...a, port: a.port === 1 ? 2 : 1 } : a,
    ),
  ),
  changed('a tag is not pushed', (actions) => withoutTag(actions)),
  changed('the class is another', (actions) =>
    actions.map((a) => (a.kind === 'set-field' && a.field === 'ip_dscp' ? { ...a, value: a.value ^ 1n } : a)),
  ),
  changed('a receiver is left out', (actions) => {
    const at = actions.findIndex((a) => a.kind === 'clone' && a.actions.some((b) => b.kind === 'resubmit'));
    return actions.filter((_, i) => i !== at);
  }),
  changed('a receiver gets its copy twice', (actions) =>
    actions.flatMap((a) =>
      a.kind === 'clone' && a.actions.some((b) => b.kind === 'resubmit') ? [a, a] : [a],
    ),
  ),
  {
    name: 'what is dropped passes',
    flow: (flow) => {
      const next = PASSING[flow.table];
      if (flow.actions.length > 0 || next === undefined) return flow;
      return { ...flow, actions: [{ kind: 'goto', table: next }] };
    },
  },
  {
    name: 'no answer is taken for one',
    flow: (flow) => (flow.match.ct_mark !== undefined && ESTABLISHED.includes(flow.table) ? null : flow),
    inAll: true,
  },
  {
    name: 'no connection is entered',
    flow: (flow) => {
      const actions = flow.actions.filter((a) => a.kind !== 'ct' || a.commit !== true);
      return actions.length === flow.actions.length ? flow : { ...flow, actions };
    },
    inAll: true,
  },
  {
    name: 'uplinks in another order',
    group: (group) => ({ ...group, buckets: [...group.buckets].reverse() }),
  },
  ...LEARNING,
  ...GROUPS,
  ...LINKS,
  ...LIMITS,
];

/** What is wrong of a fault that is there from the beginning to the end. */
export const wrongBy = (fault: Fault): Wrong => ({
  ...(fault.facts === undefined ? {} : { facts: fault.facts }),
  state: ({ bridges }) => ({
    bridges: bridges.map(({ pieces: _, ...bridge }) => ({
      ...bridge,
      flows: fault.flow === undefined ? bridge.flows : bridge.flows.flatMap((f) => fault.flow?.(f) ?? []),
      meters: fault.meter === undefined ? bridge.meters : bridge.meters.map(fault.meter),
    })),
  }),
});

function withoutTag(actions: readonly Action[]): readonly Action[] {
  const at = actions.findIndex((a) => a.kind === 'push-vlan');
  // With the two that fill the tag.
  return at < 0 ? actions : actions.filter((_, i) => i < at || i > at + 2);
}

/** The state with one thing of it wrong, of what the case's frames go by; undefined: there is nothing of the kind. */
function planted(
  state: DataplaneState,
  fault: Fault,
  hits: ReadonlySet<Hit>,
  nth: number,
): DataplaneState | undefined {
  const found = state.bridges.flatMap((bridge) =>
    placesIn(bridge, fault, hits).map((place) => ({ bridge, place })),
  );
  const chosen = found[found.length === 0 ? 0 : nth % found.length];
  if (chosen === undefined) return undefined;
  const { bridge, place } = chosen;
  return { bridges: state.bridges.map((b) => (b === bridge ? place(b) : b)) };
}

/** The states of a case's hosts, one thing on one of them wrong, or all of its kind; none: no host has anything of it. */
export async function wrongStates(
  rig: Rig,
  world: World,
  fault: Fault,
  walked: ReadonlyMap<string, ReadonlySet<Hit>>,
  nth: number,
): Promise<Map<string, DataplaneState>> {
  const all = new Map<string, DataplaneState>();
  for (const host of world.hosts) {
    const { state } = await rig.host(host.name).compiled(documentsOf(world, host));
    const wrong = planted(state, fault, walked.get(host.name) ?? new Set(), nth);
    if (wrong !== undefined) all.set(host.name, wrong);
    if (all.size > 0 && fault.inAll === undefined) break;
  }
  return all;
}

type Place = (bridge: BridgeState) => BridgeState;

function placesIn(
  bridge: BridgeState,
  { flow: change, group, inAll }: Fault,
  hits: ReadonlySet<Hit>,
): Place[] {
  const { pieces: _, ...plain } = bridge;
  if (group !== undefined)
    return bridge.groups
      .filter((g) => g.buckets.length > 1)
      .map((wrong) => () => ({ ...plain, groups: bridge.groups.map((g) => (g === wrong ? group(g) : g)) }));
  if (change === undefined) return [];
  if (inAll) {
    const changedAll = bridge.flows.flatMap((f) => change(f) ?? []);
    const isOf = changedAll.length < bridge.flows.length || changedAll.some((f, i) => f !== bridge.flows[i]);
    return isOf ? [() => ({ ...plain, flows: changedAll })] : [];
  }
  const flows = bridge.flows.filter((f) => hits.has(hitOf(f)) && change(f) !== f);
  return flows.map((wrong) => () => ({
    ...plain,
    flows: bridge.flows.flatMap((f) => (f === wrong ? (change(f) ?? []) : [f])),
  }));
}
