import { isLearned, isOurs } from './cookie.js';
import {
  type BridgeObservation,
  type BridgeState,
  type DataplaneState,
  type Observation,
} from './dataplane.js';
import { diffPorts, movedPorts } from './diff-ports.js';
import { flowKey, flowPlace, sameFlow, sameGroup, sameMeter, type FlowIdentity } from './identity.js';
import { type Flow } from './model.js';
import { SWITCH_MARK, type BridgePlan, type Delta, type Plan, type PlanException } from './plan.js';
import { dangles, references, type References } from './references.js';
import { sameExports } from './rows.js';
import { bridgeDrift, type PortBaseline } from './settings.js';
import { tightens } from './tightens.js';

export interface DiffOptions {
  /** Learned flows to be removed: their place was taken by compiled ones, or they were given up. */
  readonly retire?: readonly { readonly bridge: string; readonly flows: readonly FlowIdentity[] }[];
  /** Flows that another program set on a bridge of ours; absent: they are left. What came by hand always goes. */
  readonly foreign?: 'leave' | 'remove';
  /** How ports looked at first; absent: what was set in their rows is left. */
  readonly baseline?: PortBaseline;
}

/** What is to be done so that the switch is what is wanted. Pure; `diff(want, observe(want))` has nothing to do. */
export function diff(want: DataplaneState, have: Observation, options: DiffOptions = {}): Plan {
  const exceptions: PlanException[] = [];
  const standing = new Map(have.bridges.map((b) => [b.name, b]));
  const wanted = want.bridges.filter((b) => {
    const there = standing.get(b.name);
    // Bridges of others are not read, but their interfaces are, the one of their own name among them.
    const isOthers =
      there === undefined
        ? have.interfaces.some((i) => i.bridge === b.name)
        : there.externalIds[SWITCH_MARK] === undefined && there.markLost !== true;
    if (isOthers)
      exceptions.push({ bridge: b.name, reason: 'a bridge of this name is there and is not ours' });
    return !isOthers;
  });
  const names = new Set(want.bridges.map((b) => b.name));
  const moves = movedPorts(wanted, have.interfaces);
  const gone = have.bridges.filter((b) => b.externalIds[SWITCH_MARK] !== undefined && !names.has(b.name));
  const bridges = wanted.map((bridge) => {
    const retire = options.retire?.filter((r) => r.bridge === bridge.name).flatMap((r) => r.flows) ?? [];
    const there = standing.get(bridge.name);
    const ports = diffPorts(bridge, have.interfaces, moves, exceptions, options.baseline);
    return { ...diffBridge(bridge, there, new Set(retire.map(flowKey)), options, exceptions), ports };
  });
  return { bridges, removeBridges: gone.map((b) => b.name), moves, exceptions };
}

function diffBridge(
  want: BridgeState,
  have: BridgeObservation | undefined,
  retired: ReadonlySet<string>,
  options: DiffOptions,
  exceptions: PlanException[],
): Omit<BridgePlan, 'ports'> {
  const others = have?.flows.flatMap(({ flow }) => (isSwept(flow, options) ? [] : [flow])) ?? [];
  const keep = references(others);
  const present: References = {
    meters: new Set(want.meters.map((m) => m.id)),
    groups: new Set(want.groups.map((g) => g.id)),
  };
  const flows = diffFlows(want, have, retired, options, present, exceptions);
  const groups = byId(want.groups, have?.groups ?? [], sameGroup, keep.groups);
  return {
    bridge: want.name,
    switch: want.switch,
    mtu: want.mtu,
    row: have === undefined ? 'add' : sameRow(want, have) ? 'keep' : 'set',
    ...(sameExports(want.exports, have?.exports) ? {} : { exports: want.exports ?? {} }),
    meters: byId(want.meters, have?.meters ?? [], sameMeter, keep.meters),
    groups,
    flows: flows.delta,
    foreign: flows.foreign,
    // A changed group may have lost a bucket.
    tightens:
      have !== undefined &&
      (groups.change.length > 0 || tightens(flows.delta, () => have.flows.map((f) => f.flow))),
  };
}

const sameRow = (want: BridgeState, have: BridgeObservation): boolean => bridgeDrift(want, have).length === 0;

/** Whether a flow that nobody wants goes, learned ones aside: ours, set by hand, or another's that shall not stay. */
function isSwept({ cookie }: Flow, { foreign = 'leave' }: DiffOptions): boolean {
  return isOurs(cookie) || cookie === 0n || (foreign === 'remove' && !isLearned(cookie));
}

/** Meters and groups bear no cookie: on a bridge of ours they are ours, but for those that others' flows name. */
function byId<T extends { readonly id: number }, H extends T>(
  want: readonly T[],
  have: readonly H[],
  same: (a: T, b: T) => boolean,
  keep: ReadonlySet<number>,
): Delta<T> {
  const standing = new Map(have.map((h) => [h.id, h]));
  const add: T[] = [];
  const change: { want: T; have: T }[] = [];
  for (const item of want) {
    const there = standing.get(item.id);
    if (there === undefined) add.push(item);
    else if (!same(item, there)) change.push({ want: item, have: there });
  }
  const wanted = new Set(want.map((w) => w.id));
  return { add, change, remove: have.filter((h) => !wanted.has(h.id) && !keep.has(h.id)) };
}

function diffFlows(
  want: BridgeState,
  have: BridgeObservation | undefined,
  retired: ReadonlySet<string>,
  options: DiffOptions,
  present: References,
  exceptions: PlanException[],
): { delta: Delta<Flow>; foreign: readonly Flow[] } {
  const unlike = unlikeFlows(want.flows, have?.flows.map(({ flow }) => flow) ?? [], present);
  const standing = new Map(unlike.have.map((flow) => [flowKey(flow), flow]));
  const wanted = new Set<string>();
  const add: Flow[] = [];
  const change: { want: Flow; have: Flow }[] = [];
  const refuse = (flow: Flow, reason: string) =>
    exceptions.push({ bridge: want.name, reason: `flow ${flow.table}/${flow.priority}: ${reason}` });
  for (const flow of unlike.want) {
    const key = flowKey(flow);
    if (wanted.has(key)) {
      refuse(flow, 'a second one of the same identity');
      continue;
    }
    if (dangles(flow, present)) {
      refuse(flow, 'names a meter or group that is not wanted');
      continue;
    }
    wanted.add(key);
    const there = standing.get(key);
    if (there === undefined) add.push(flow);
    else if (!sameFlow(flow, there)) change.push({ want: flow, have: there });
  }
  const remove: Flow[] = [];
  const foreign: Flow[] = [];
  for (const [key, flow] of standing) {
    if (wanted.has(key)) continue;
    if (isSwept(flow, options) || (isLearned(flow.cookie) && retired.has(key))) remove.push(flow);
    else if (!isLearned(flow.cookie)) foreign.push(flow);
  }
  return { delta: { add, change, remove }, foreign };
}

/**
 * What is left to compare when the very same objects are left out on both sides: most of what is wanted was compiled
 * by an earlier pass, and stands since. All of it, where one of them has the identity of something else that is wanted:
 * which of the two is refused must not depend on what stands.
 */
function unlikeFlows(
  want: readonly Flow[],
  have: readonly Flow[],
  present: References,
): { readonly want: readonly Flow[]; readonly have: readonly Flow[] } {
  const left = new Set(have);
  const wanted = want.filter(
    (flow) => flow.opaque !== undefined || dangles(flow, present) || !left.delete(flow),
  );
  const places = new Set(wanted.map(flowPlace));
  const keys = new Set(wanted.map(flowKey));
  const taken = (flow: Flow): boolean =>
    places.has(flowPlace(flow)) && !left.has(flow) && keys.has(flowKey(flow));
  return have.some(taken) ? { want, have } : { want: wanted, have: [...left] };
}
