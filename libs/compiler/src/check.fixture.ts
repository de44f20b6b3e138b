import { TABLE_NAMES } from './pipeline/tables.js';
import { flowKey, overlap, type Action, type BridgeState, type Flow } from '#openflow';

/** What is wrong with a bridge as compiled: overlapping flows, unknown references, jumps backwards. */
export function faults(bridge: BridgeState): string[] {
  return [...overlaps(bridge.flows), ...bridge.flows.flatMap((flow) => references(flow, bridge))];
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
    peers.set(key, [...others, flow]);
  }
  return out;
}

function references(flow: Flow, bridge: BridgeState): string[] {
  const out: string[] = [];
  const check = (action: Action): void => {
    if (action.kind === 'meter' && !bridge.meters.some((m) => m.id === action.meter))
      out.push(`meter ${action.meter}`);
    if (action.kind === 'group' && !bridge.groups.some((g) => g.id === action.group))
      out.push(`group ${action.group}`);
    if (action.kind === 'goto' && action.table <= flow.table)
      out.push(`goto ${action.table} from ${flow.table}`);
    if (action.kind === 'clone') action.actions.forEach(check);
    if (action.kind === 'resubmit' && !TABLE_NAMES.has(action.table)) out.push(`table ${action.table}`);
  };
  flow.actions.forEach(check);
  return out;
}
