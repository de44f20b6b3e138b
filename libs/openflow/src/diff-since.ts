import { equalJson } from '#kernel';
import {
  type BridgePort,
  type BridgeState,
  type DataplaneState,
  type ObservedInterface,
  type Piece,
  type Pieces,
} from './dataplane.js';
import { diffPorts, movedPorts } from './diff-ports.js';
import { flowKey, flowPlace, sameFlow, sameGroup, sameMeter } from './identity.js';
import { type Flow } from './model.js';
import { type BridgePlan, type Delta, type Plan, type PlanException, type PortPlan } from './plan.js';
import { dangles } from './references.js';
import { sameExports } from './rows.js';
import { type PortBaseline } from './settings.js';
import { tightens } from './tightens.js';

/**
 * The plan of `diff` where the switch is known to be just what `since` wants, with nothing of anybody else's on it:
 * only pieces that became different are looked at. Null: it can't be told from these alone, and `diff` has to.
 */
export function diffSince(
  want: DataplaneState,
  since: DataplaneState,
  interfaces: readonly ObservedInterface[],
  baseline?: PortBaseline,
): Plan | null {
  if (want.bridges.length !== since.bridges.length) return null;
  const isInOrder = want.bridges.every(({ ports }) => inOrder.get(ports) === interfaces);
  const moves = isInOrder ? NOTHING : movedPorts(want.bridges, interfaces);
  if (moves.length > 0) return null;
  const exceptions: PlanException[] = [];
  const bridges: BridgePlan[] = [];
  for (const [i, bridge] of want.bridges.entries()) {
    const before = since.bridges[i];
    if (before === undefined || !sameRow(bridge, before)) return null;
    const changes = diffPieces(bridge, before);
    if (changes === null) return null;
    const { name, mtu } = bridge;
    const ports = isInOrder ? NO_PORTS : portsOf(bridge, interfaces, exceptions, baseline);
    bridges.push({ bridge: name, switch: bridge.switch, mtu, row: 'keep', foreign: [], ports, ...changes });
  }
  return exceptions.length > 0 ? null : { bridges, removeBridges: [], moves, exceptions };
}

const NOTHING: Plan['moves'] = [];
const NO_PORTS: PortPlan = { add: [], mark: [], set: [], unmark: [], remove: [] };

/** Lists of ports and the interfaces among which all of them were found as wanted: most passes see the same again. */
const inOrder = new WeakMap<readonly BridgePort[], readonly ObservedInterface[]>();

function portsOf(
  bridge: BridgeState,
  interfaces: readonly ObservedInterface[],
  exceptions: PlanException[],
  baseline: PortBaseline | undefined,
): PortPlan {
  const plan = diffPorts(bridge, interfaces, NOTHING, exceptions, baseline);
  const { add, mark, set, unmark, remove } = plan;
  if (add.length + mark.length + set.length + unmark.length + remove.length + exceptions.length === 0)
    inOrder.set(bridge.ports, interfaces);
  return plan;
}

const sameRow = (a: BridgeState, b: BridgeState): boolean =>
  a.name === b.name && a.switch === b.switch && a.mtu === b.mtu && sameExports(a.exports, b.exports);

type Changes = Pick<BridgePlan, 'flows' | 'groups' | 'meters' | 'tightens'>;

function diffPieces(want: BridgeState, since: BridgeState): Changes | null {
  if (want.pieces === undefined || since.pieces === undefined) return null;
  const fresh = unlike(want.pieces, since.pieces);
  const gone = unlike(since.pieces, want.pieces);
  const meters = delta(fresh, gone, (p) => p.meters, idOf, sameMeter);
  const groups = delta(fresh, gone, (p) => p.groups, idOf, sameGroup);
  const flows = delta(fresh, gone, (p) => p.flows, flowKey, sameFlow);
  if (meters === null || groups === null || flows === null) return null;
  // One that comes may stand in another piece already, one that goes may be named there.
  if (meters.add.length + meters.remove.length + groups.add.length + groups.remove.length > 0) return null;
  const written = [...flows.add, ...flows.change.map((c) => c.want)];
  if (anyDangles(written, want.pieces) || stands(flows.add, want.pieces, new Set(fresh))) return null;
  const isTighter =
    groups.change.length > 0 || tightens(flows, (tables) => flowsOf(since.pieces ?? new Map(), tables));
  return { meters, groups, flows, tightens: isTighter };
}

/** Whether two compiled states want the same, as far as can be told at once: one without pieces counts as another. */
export function samePieces(a: DataplaneState, b: DataplaneState): boolean {
  if (a.bridges.length !== b.bridges.length) return false;
  return a.bridges.every((bridge, i) => {
    const other = b.bridges[i];
    if (other?.pieces === undefined || bridge.pieces === undefined) return false;
    const changed = [...unlike(bridge.pieces, other.pieces), ...unlike(other.pieces, bridge.pieces)];
    return sameRow(bridge, other) && equalJson(bridge.ports, other.ports) && changed.length === 0;
  });
}

/** The pieces that are not also, as the same objects, among the others. */
function unlike(pieces: Pieces, others: Pieces): Piece[] {
  const found: Piece[] = [];
  for (const [key, owned] of pieces) {
    const other = others.get(key);
    if (other === owned) continue;
    for (const [i, piece] of owned.list.entries()) if (piece !== other?.list[i]) found.push(piece);
  }
  return found;
}

const idOf = ({ id }: { readonly id: number }): number => id;

/** Null: something is twice in one of them, or is none of ours. */
function delta<T extends { readonly opaque?: unknown }, K>(
  fresh: readonly Piece[],
  gone: readonly Piece[],
  itemsOf: (piece: Piece) => readonly T[],
  keyOf: (item: T) => K,
  same: (a: T, b: T) => boolean,
): Delta<T> | null {
  const standing = keyed(gone, itemsOf, keyOf);
  const wanted = keyed(fresh, itemsOf, keyOf);
  if (standing === null || wanted === null) return null;
  const add: T[] = [];
  const change: { want: T; have: T }[] = [];
  for (const [key, want] of wanted) {
    const have = standing.get(key);
    standing.delete(key);
    if (have === undefined) add.push(want);
    else if (!same(want, have)) change.push({ want, have });
  }
  return { add, change, remove: [...standing.values()] };
}

function keyed<T extends { readonly opaque?: unknown }, K>(
  pieces: readonly Piece[],
  itemsOf: (piece: Piece) => readonly T[],
  keyOf: (item: T) => K,
): Map<K, T> | null {
  const found = new Map<K, T>();
  let count = 0;
  for (const piece of pieces)
    for (const item of itemsOf(piece)) {
      if (item.opaque !== undefined) return null;
      found.set(keyOf(item), item);
      count += 1;
    }
  return found.size === count ? found : null;
}

/** Of pieces with flows in any of these tables. */
function flowsOf(pieces: Pieces, tables: Pick<ReadonlySet<number>, 'has'>): Flow[] {
  const flows: Flow[] = [];
  for (const owned of pieces.values())
    if (intersect(owned.tables, tables))
      for (const piece of owned.list) for (const flow of piece.flows) flows.push(flow);
  return flows;
}

/** Whether one of these has the identity of one in any other piece: which of the two is refused, `diff` says. */
function stands(flows: readonly Flow[], pieces: Pieces, theirs: ReadonlySet<Piece>): boolean {
  if (flows.length === 0) return false;
  const tables = new Set(flows.map((flow) => flow.table));
  const places = new Set(flows.map(flowPlace));
  const keys = new Set(flows.map(flowKey));
  // Tables and places say of most of a host's flows that they are none of these.
  for (const owned of pieces.values()) {
    if (!intersect(tables, owned.tables)) continue;
    for (const piece of owned.list) {
      if (theirs.has(piece)) continue;
      for (const flow of piece.flows) if (places.has(flowPlace(flow)) && keys.has(flowKey(flow))) return true;
    }
  }
  return false;
}

function intersect(a: Iterable<number>, b: Pick<ReadonlySet<number>, 'has'>): boolean {
  for (const item of a) if (b.has(item)) return true;
  return false;
}

function anyDangles(flows: readonly Flow[], pieces: Pieces): boolean {
  const nothing = { meters: new Set<number>(), groups: new Set<number>() };
  const naming = flows.filter((flow) => dangles(flow, nothing));
  if (naming.length === 0) return false;
  const present = { meters: new Set<number>(), groups: new Set<number>() };
  for (const { list } of pieces.values())
    for (const { meters, groups } of list) {
      for (const { id } of meters) present.meters.add(id);
      for (const { id } of groups) present.groups.add(id);
    }
  return naming.some((flow) => dangles(flow, present));
}
