import { type BundleMod, type MeterMod, type OvsdbChange, type Step } from './dataplane.js';
import { isEmptyDelta, type BridgePlan, type Plan } from './plan.js';
import { type CtFilter } from './wire/messages.js';

export interface OrderOptions {
  /** Wait until no later packet is treated by the old flows: when the change tightens (default), always, or never. */
  readonly effective?: 'tightening' | 'always' | 'never';
  /** Bridges where a `learn` is armed: their cached decisions are forgotten, so that it fires at once. */
  readonly purge?: Iterable<string>;
  /** Connections to be forgotten, once no packet can bring them back. */
  readonly flush?: readonly { readonly bridge: string; readonly connections: readonly CtFilter[] }[];
}

/**
 * The steps of a plan, in the one order in which no prefix opens what policy closes, and no flow stands without the
 * meter or group that it names:
 *
 * | step      | what                                            | why here                                        |
 * | --------- | ----------------------------------------------- | ----------------------------------------------- |
 * | ovsdb     | moved ports out of their old bridge             | a row's name is free only after the transaction |
 * | ovsdb     | bridges, ports, marks                           | a bridge is born closed (secure), ports need it |
 * | meters    | add, modify                                     | no bundle takes them, and flows name them; what |
 * |           |                                                 | lets more pass waits for the flows it is for    |
 * | bundle    | groups, flow deletes, flow adds, group deletes  | atomic: one point in time                       |
 * | purge     | where a `learn` was armed                       | it only fires on a miss of the cache            |
 * | effective | where the change tightens                       | installed is not effective                      |
 * | flush     | connections that shall not go on                | an old packet would bring them back before      |
 * | meters    | modify to let more pass; delete                 | a meter takes the flows that name it along      |
 * | ovsdb     | marks, ports, bridges out                       | a number may be given again: no flow may name it|
 *
 * Nothing to do gives no step.
 */
export function order(plan: Plan, options: OrderOptions = {}): Step[] {
  const { effective = 'tightening' } = options;
  const flush = options.flush?.filter((f) => f.connections.length > 0) ?? [];
  const flushed = new Set(flush.map((f) => f.bridge));
  const purge = new Set(options.purge);
  const changed = plan.bridges.filter((b) => !isEmptyDelta(b.flows) || !isEmptyDelta(b.groups));
  const waits = changed.filter(
    (b) => effective === 'always' || (effective === 'tightening' && (b.tightens || flushed.has(b.bridge))),
  );
  return [
    ...ovsdb(plan.moves.map((m) => ({ op: 'remove-port', ...m }))),
    ...ovsdb(opening(plan)),
    ...plan.bridges.flatMap((b) => meters(b, metersIn(b))),
    ...changed.map((b): Step => ({ kind: 'bundle', bridge: b.bridge, mods: bundle(b) })),
    ...[...purge].map((bridge): Step => ({ kind: 'purge', bridge })),
    ...waits.map((b): Step => ({ kind: 'effective', bridge: b.bridge })),
    ...flush.map((f): Step => ({ kind: 'flush', ...f })),
    ...plan.bridges.flatMap((b) => meters(b, metersOut(b))),
    ...ovsdb(closing(plan)),
  ];
}

const ovsdb = (changes: OvsdbChange[]): Step[] => (changes.length === 0 ? [] : [{ kind: 'ovsdb', changes }]);
const meters = (b: BridgePlan, mods: MeterMod[]): Step[] =>
  mods.length === 0 ? [] : [{ kind: 'meters', bridge: b.bridge, mods }];

function metersIn(b: BridgePlan): MeterMod[] {
  return [
    ...b.meters.add.map((meter): MeterMod => ({ op: 'add', meter })),
    ...b.meters.change.filter((c) => !letsMorePass(c)).map(modified),
  ];
}

function metersOut(b: BridgePlan): MeterMod[] {
  return [
    ...b.meters.change.filter(letsMorePass).map(modified),
    ...b.meters.remove.map(({ id }): MeterMod => ({ op: 'delete', id })),
  ];
}

type Changed = BridgePlan['meters']['change'][number];

const modified = ({ want }: Changed): MeterMod => ({ op: 'modify', meter: want });

const letsMorePass = ({ want, have }: Changed): boolean =>
  want.unit === have.unit && want.rate >= have.rate && (want.burst ?? 0) >= (have.burst ?? 0);

function opening(plan: Plan): OvsdbChange[] {
  return [
    ...plan.bridges.flatMap((b): OvsdbChange[] => [
      ...(b.row === 'keep'
        ? []
        : [{ op: `${b.row}-bridge` as const, bridge: b.bridge, switch: b.switch, mtu: b.mtu }]),
      ...(b.exports === undefined
        ? []
        : [{ op: 'set-exports' as const, bridge: b.bridge, exports: b.exports }]),
      ...b.ports.add.map((port): OvsdbChange => ({ op: 'add-port', bridge: b.bridge, port })),
      ...b.ports.mark.map((m): OvsdbChange => ({ op: 'mark-port', bridge: b.bridge, ...m })),
      ...b.ports.set.map((s): OvsdbChange => ({ op: 'set-port', bridge: b.bridge, ...s })),
    ]),
  ];
}

function closing(plan: Plan): OvsdbChange[] {
  return [
    ...plan.bridges.flatMap((b): OvsdbChange[] => [
      ...b.ports.unmark.map((port): OvsdbChange => ({ op: 'mark-port', bridge: b.bridge, port, marks: {} })),
      ...b.ports.remove.map((port): OvsdbChange => ({ op: 'remove-port', bridge: b.bridge, port })),
    ]),
    ...plan.removeBridges.map((bridge): OvsdbChange => ({ op: 'remove-bridge', bridge })),
  ];
}

/** Groups stand before the flows that name them, and go after them. */
function bundle(b: BridgePlan): BundleMod[] {
  return [
    ...b.groups.add.map((group): BundleMod => ({ op: 'add-group', group })),
    ...b.groups.change.map(({ want }): BundleMod => ({ op: 'modify-group', group: want })),
    ...b.flows.remove.map(({ table, priority, match }): BundleMod => {
      return { op: 'delete-flow', flow: { table, priority, match } };
    }),
    ...b.flows.change.map(({ want }): BundleMod => ({ op: 'add-flow', flow: want })),
    ...b.flows.add.map((flow): BundleMod => ({ op: 'add-flow', flow })),
    ...b.groups.remove.map((g): BundleMod => ({ op: 'delete-group', id: g.id })),
  ];
}
