import { equalJson } from '#kernel';
import { applyStep, fresh } from './apply-step.js';
import {
  type BridgeObservation,
  type DriverEvent,
  type FlowChange,
  type Observation,
  type ObservedRow,
  type ObservedRows,
} from './dataplane.js';
import { flowKey, flowPlace } from './identity.js';

type Told = Extract<DriverEvent, { kind: 'flows' | 'groups' | 'meters' }>;

/** Every group, and every meter. */
const ALL_GROUPS = 0xfffffffc;
const ALL_METERS = 0xffffffff;
/** Up to so many changes the flows are looked through; of more a map is made. */
const FEW = 8;

/**
 * What stands after the switch told what others changed, as reading it all would show: null where it can't be told from
 * that alone.
 */
export function follow(have: Observation, told: Told): Observation | null {
  const bridge = have.bridges.find((b) => b.name === told.bridge);
  if (bridge === undefined) return null;
  switch (told.kind) {
    case 'flows': {
      if (told.changes.length === 0) return null;
      const flows = withChanges(bridge.flows, told.changes);
      return { ...have, bridges: have.bridges.map((b) => (b === bridge ? withFlows(b, flows) : b)) };
    }
    case 'groups':
      return told.mods.reduce<Observation | null>((now, mod) => {
        if (now === null || (mod.command === 'delete' && mod.id >= ALL_GROUPS)) return null;
        const done =
          mod.command === 'delete'
            ? ({ op: 'delete-group', id: mod.id } as const)
            : ({ op: mod.command === 'add' ? 'add-group' : 'modify-group', group: mod.group } as const);
        return applyStep(now, { kind: 'bundle', bridge: told.bridge, mods: [done] });
      }, have);
    case 'meters':
      return told.mods.reduce<Observation | null>((now, mod) => {
        if (now === null || (mod.command === 'delete' && mod.id === ALL_METERS)) return null;
        const done =
          mod.command === 'delete'
            ? ({ op: 'delete', id: mod.id } as const)
            : ({ op: mod.command, meter: mod.meter } as const);
        return applyStep(now, { kind: 'meters', bridge: told.bridge, mods: [done] });
      }, have);
  }
}

type Flows = BridgeObservation['flows'];

function withChanges(flows: Flows, changes: readonly FlowChange[]): Flows {
  if (changes.length > FEW) {
    const standing = new Map(flows.map((f) => [flowKey(f.flow), f]));
    for (const { change, flow } of changes) {
      if (change === 'removed') standing.delete(flowKey(flow));
      else standing.set(flowKey(flow), fresh(flow));
    }
    return [...standing.values()];
  }
  return changes.reduce((now, { change, flow }) => {
    const place = flowPlace(flow);
    const key = flowKey(flow);
    const rest = now.filter((f) => flowPlace(f.flow) !== place || flowKey(f.flow) !== key);
    return change === 'removed' ? rest : [...rest, fresh(flow)];
  }, flows);
}

/** A copy of an observation that may put its content together only when asked: what is not asked for stays so. */
function withFlows(b: BridgeObservation, flows: Flows): BridgeObservation {
  return Object.defineProperty(copy(b), 'flows', { value: flows, enumerable: true });
}

const copy = (b: BridgeObservation): BridgeObservation =>
  Object.defineProperties({}, Object.getOwnPropertyDescriptors(b)) as BridgeObservation;

const ROW: readonly (keyof ObservedRow)[] = [
  'externalIds',
  'markLost',
  'failMode',
  'mtu',
  'settings',
  'exports',
];

/**
 * The observation with the rows as they are now. The same bridges, where nothing in their rows changed; null: a bridge
 * came or went, and its content has to be read.
 */
export function withRows(have: Observation, rows: ObservedRows): Observation | null {
  const now = new Map(rows.bridges.map((row) => [row.name, row]));
  if (now.size !== have.bridges.length || have.bridges.some((b) => !now.has(b.name))) return null;
  let changed = false;
  const bridges = have.bridges.map((b) => {
    const row = now.get(b.name);
    if (row === undefined || ROW.every((key) => same(row[key], b[key]))) return b;
    changed = true;
    return withRow(b, row);
  });
  return { ...have, bridges: changed ? bridges : have.bridges, interfaces: rows.interfaces };
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && equalJson(a, b));

function withRow(b: BridgeObservation, row: ObservedRow): BridgeObservation {
  const next = copy(b) as { -readonly [K in keyof BridgeObservation]?: BridgeObservation[K] };
  for (const key of ROW) delete next[key];
  return Object.defineProperties(next, Object.getOwnPropertyDescriptors(row)) as BridgeObservation;
}
