import { FEATURE_CODES, type FeatureName } from './pipeline/cookies.js';
import { REG, type RegisterName } from './pipeline/registers.js';
import { PIPELINE, TABLE_NAMES, type TableSpec } from './pipeline/tables.js';
import { flowKey, overlap, type Action, type BridgeState, type FieldName, type Flow } from '#openflow';

/** What is wrong with a bridge as compiled: overlapping flows, unknown references, what its table does not allow. */
export function faults(bridge: BridgeState): string[] {
  const ids = {
    meters: new Set(bridge.meters.map((m) => m.id)),
    groups: new Set(bridge.groups.map((g) => g.id)),
  };
  const buckets = new Map(bridge.groups.map((g) => [g.id, g.buckets.flatMap((b) => b.actions)]));
  return [
    ...overlaps(bridge.flows),
    ...bridge.flows.flatMap((flow) => [...references(flow, ids), ...trespasses(flow, buckets)]),
  ];
}

function overlaps(flows: readonly Flow[]): string[] {
  const peers = new Map<string, Flow[]>();
  const out: string[] = [];
  for (const flow of flows) {
    const key = `${flow.table}/${flow.priority}`;
    const others = peers.get(key) ?? [];
    for (const other of others) {
      if (overlap(flow.match, other.match)) out.push(`${flowKey(flow)} overlaps ${flowKey(other)}`);
    }
    others.push(flow);
    peers.set(key, others);
  }
  return out;
}

function references(
  flow: Flow,
  { meters, groups }: { readonly meters: ReadonlySet<number>; readonly groups: ReadonlySet<number> },
): string[] {
  const out: string[] = [];
  const check = (action: Action): void => {
    if (action.kind === 'meter' && !meters.has(action.meter)) out.push(`meter ${action.meter}`);
    if (action.kind === 'controller' && action.meter !== undefined && !meters.has(action.meter))
      out.push(`meter ${action.meter} of a packet-in`);
    if (action.kind === 'group' && !groups.has(action.group)) out.push(`group ${action.group}`);
    if (action.kind === 'goto' && action.table <= flow.table)
      out.push(`goto ${action.table} from ${flow.table}`);
    if (action.kind === 'clone') action.actions.forEach(check);
    if (action.kind === 'resubmit' && !TABLE_NAMES.has(action.table)) out.push(`table ${action.table}`);
  };
  flow.actions.forEach(check);
  return out;
}

const FEATURE_OF: ReadonlyMap<number, FeatureName> = new Map(
  Object.entries(FEATURE_CODES).map(([name, code]) => [code, name as FeatureName]),
);
const REGISTER_OF: ReadonlyMap<string, RegisterName> = new Map(
  Object.entries(REG).map(([name, field]) => [field, name as RegisterName]),
);

/** What a flow does that the declaration of its table does not say. */
function trespasses(flow: Flow, buckets: ReadonlyMap<number, readonly Action[]>): string[] {
  const name = TABLE_NAMES.get(flow.table);
  if (name === undefined) return [`a flow in table ${flow.table}, which is none`];
  const spec: TableSpec = PIPELINE[name];
  const out: string[] = [];
  const owner = FEATURE_OF.get(Number((flow.cookie >> 24n) & 0xffn));
  if (owner === undefined || !spec.owners.includes(owner)) out.push(`${name}: a flow of ${owner}`);
  const reads = (field: FieldName): void => {
    const register = REGISTER_OF.get(field);
    if (register !== undefined && spec.reads?.includes(register) !== true)
      out.push(`${name}: reads ${register}`);
  };
  const writes = (field: FieldName): void => {
    const register = REGISTER_OF.get(field);
    if (register !== undefined && spec.writes?.includes(register) !== true)
      out.push(`${name}: writes ${register}`);
  };
  const asks = (table: number): void => {
    const asked = TABLE_NAMES.get(table) ?? String(table);
    if (spec.asks?.includes(asked) !== true) out.push(`${name}: asks ${asked}`);
  };
  const check = (action: Action): void => {
    switch (action.kind) {
      case 'goto': {
        const next = TABLE_NAMES.get(action.table) ?? String(action.table);
        if (!spec.next.includes(next)) out.push(`${name}: goes to ${next}`);
        break;
      }
      case 'resubmit':
        asks(action.table);
        break;
      case 'group':
        // A group's choice is a register of its own; what it asks is asked from here.
        for (const one of buckets.get(action.group) ?? []) if (one.kind === 'resubmit') asks(one.table);
        break;
      case 'set-field':
        writes(action.field);
        break;
      case 'move':
        reads(action.src.field);
        writes(action.dst.field);
        break;
      case 'learn': {
        const into = TABLE_NAMES.get(action.table);
        if (into === undefined || PIPELINE[into].learned === undefined)
          out.push(`${name}: learns into ${into ?? action.table}`);
        for (const one of action.specs) if ('src' in one) reads(one.src.field);
        break;
      }
      case 'ct':
        // What comes back goes on from there.
        if (action.table !== undefined) asks(action.table);
        if (typeof action.zone !== 'number') reads(action.zone.field);
        action.exec?.forEach(check);
        break;
      case 'clone':
        action.actions.forEach(check);
        break;
      default:
        break;
    }
  };
  for (const field in flow.match) reads(field as FieldName);
  flow.actions.forEach(check);
  return out;
}
