import {
  bridgeDrift,
  diff,
  formatAction,
  formatGroup,
  formatMatch,
  formatMeter,
  isLearned,
  portDrift,
  type BridgePlan,
  type DataplaneState,
  type DiffOptions,
  type Flow,
  type Observation,
} from '#openflow';
import { TABLE_NAMES, TABLES } from '#compiler';

/** One thing that is not as it was installed. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** What differs in one object of the switch. */
export interface Drifted {
  /** `bridge/<name>` */
  readonly object: string;
  readonly differences: readonly Difference[];
}

const NOTHING = 'absent';

/**
 * What somebody else did to what this agent installed: `installed` as it was last carried out, against what is read
 * now. A learned row is a fact and no drift; what others added beside ours is theirs; a vNIC comes and goes by its
 * hypervisor, and a whole bridge that is gone is told as one.
 */
export function driftOf(
  installed: DataplaneState,
  have: Observation,
  options: Pick<DiffOptions, 'baseline'> = {},
): readonly Drifted[] {
  const standing = new Set(have.bridges.map((b) => b.name));
  const found: Drifted[] = [];
  for (const plan of diff(installed, have, options).bridges) {
    const object = `bridge/${plan.bridge}`;
    const differences = standing.has(plan.bridge)
      ? differencesOf(plan, have)
      : [{ field: 'bridge', expected: plan.bridge, found: NOTHING }];
    if (differences.length > 0) found.push({ object, differences });
  }
  return found;
}

function differencesOf(plan: BridgePlan, have: Observation): Difference[] {
  return [...row(plan, have), ...ports(plan, have), ...flows(plan), ...groups(plan), ...meters(plan)];
}

function row(plan: BridgePlan, have: Observation): Difference[] {
  const there = have.bridges.find((b) => b.name === plan.bridge);
  if (there === undefined) return [];
  const exports = plan.exports === undefined ? [] : [there.exports ?? {}];
  return [
    ...bridgeDrift(plan, there),
    ...exports.map((found) => ({
      field: 'exports',
      expected: text(plan.exports),
      found: text(found),
    })),
  ];
}

/** What goes into the log is bounded. */
const text = (value: unknown): string => JSON.stringify(value).slice(0, 1_000);

function ports({ bridge: of, ports: plan }: BridgePlan, have: Observation): Difference[] {
  const rows = new Map(have.interfaces.map((i) => [i.port ?? i.name, i]));
  const rowsOf = (port: string) => have.interfaces.filter((i) => (i.port ?? i.name) === port);
  // A vNIC without any of them was plugged anew by its hypervisor.
  const marks = plan.mark.filter(
    ({ port, marks: m }) =>
      Object.hasOwn(m, 'portolan-plugged') || Object.keys(rows.get(port)?.marks ?? {}).length > 0,
  );
  return [
    ...plan.add.map((p) => {
      // It stands, with other members, or in another bridge.
      const found = rowsOf(p.name).map(({ bridge, name }) => `${bridge}/${name}`);
      if (found.length === 0) return { field: `port ${p.name}`, expected: 'plugged', found: NOTHING };
      const expected = (p.bond?.members ?? [p.name]).map((name) => `${of}/${name}`);
      return { field: `port ${p.name} interfaces`, expected: expected.join(), found: found.join() };
    }),
    ...marks.map((m) => ({
      field: `port ${m.port} external_ids`,
      expected: JSON.stringify(m.marks),
      found: JSON.stringify(rows.get(m.port)?.marks ?? {}),
    })),
    ...plan.set.flatMap(({ port, ...wanted }) => {
      // Members of a bond have the port's row in common.
      const differences = rowsOf(port).flatMap((row) => portDrift(wanted, row));
      const byField = new Map(differences.map((d) => [d.field, d]));
      return [...byField.values()].map((d) => ({ ...d, field: `port ${port} ${d.field}` }));
    }),
  ];
}

function flows({ flows: { add, change, remove } }: BridgePlan): Difference[] {
  const drifted = {
    add,
    change: change.filter(({ have }) => !isLearned(have.cookie)),
    remove: remove.filter((f) => !isLearned(f.cookie)),
  };
  return changes(drifted, flowName, actionsOf).map((d) => ({ ...d, field: d.field.slice(0, 1_000) }));
}

const groups = ({ groups: plan }: BridgePlan): Difference[] =>
  changes(plan, ({ id }) => `group ${id}`, formatGroup);

const meters = ({ meters: plan }: BridgePlan): Difference[] =>
  changes(plan, ({ id }) => `meter ${id}`, formatMeter);

interface Changes<T> {
  readonly add: readonly T[];
  readonly change: readonly { readonly want: T; readonly have: T }[];
  readonly remove: readonly T[];
}

const changes = <T>(plan: Changes<T>, name: (it: T) => string, says: (it: T) => string): Difference[] => [
  ...plan.add.map((it) => ({ field: name(it), expected: says(it), found: NOTHING })),
  ...plan.change.map(({ want, have }) => ({ field: name(want), expected: says(want), found: says(have) })),
  ...plan.remove.map((it) => ({ field: name(it), expected: NOTHING, found: says(it) })),
];

/** A flow, by name and by what it does. */
export const flowText = (flow: Flow): Pick<Difference, 'field' | 'found'> => ({
  field: flowName(flow).slice(0, 1_000),
  found: actionsOf(flow),
});

function flowName(flow: Flow): string {
  const head = `flow ${TABLE_NAMES.get(flow.table) ?? flow.table} ${flow.priority}`;
  const match = shown(flow, formatMatch(flow.match));
  return match === '' ? head : `${head} ${match}`;
}

function actionsOf(flow: Flow): string {
  if (flow.opaque !== undefined) return flow.opaque;
  return shown(flow, flow.actions.map((a) => formatAction(a)).join(',')) || 'drop';
}

/** Where flows look for the token of a hand-over, and where they send it. */
const OF_HANDOVER: ReadonlySet<number> = new Set([TABLES.TRAP, TABLES.GATE_IN]);
const GROUP_ADDRESS = /\b[0-9a-f][13579bdf](:[0-9a-f]{2}){5}\b/g;

/** What is told goes into the log, for everyone to read; the token is the two hosts' own. */
const shown = (flow: Flow, text: string): string =>
  OF_HANDOVER.has(flow.table) ? text.replaceAll(GROUP_ADDRESS, '(token)') : text;
