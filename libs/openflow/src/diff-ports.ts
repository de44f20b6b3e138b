import { type BridgePort, type BridgeState, type ObservedInterface } from './dataplane.js';
import {
  PLUGGED_MARK,
  portName,
  rowMarks,
  sameMarks,
  type Plan,
  type PlanException,
  type PortPlan,
} from './plan.js';

const isAgents = (row: ObservedInterface): boolean => row.marks[PLUGGED_MARK] === 'agent';

/** The members of a bond stand for one port. */
function first(): (move: Plan['moves'][number]) => boolean {
  const seen = new Set<string>();
  return ({ port }) => !seen.has(port) && seen.add(port).has(port);
}

/** Ports of ours that stand in a bridge other than the one that wants them. */
export function movedPorts(
  bridges: readonly BridgeState[],
  interfaces: readonly ObservedInterface[],
): Plan['moves'] {
  const target = new Map<string, string>();
  for (const bridge of bridges) {
    for (const port of bridge.ports) if (port.plugged === 'agent') target.set(port.name, bridge.name);
  }
  return interfaces
    .filter((row) => isAgents(row) && (target.get(portName(row)) ?? row.bridge) !== row.bridge)
    .map((row) => ({ bridge: row.bridge, port: portName(row) }))
    .filter(first());
}

export function diffPorts(
  bridge: BridgeState,
  interfaces: readonly ObservedInterface[],
  moves: Plan['moves'],
  exceptions: PlanException[],
): PortPlan {
  const rows = new Map(interfaces.map((row) => [portName(row), row]));
  const add: BridgePort[] = [];
  const mark: { port: string; marks: Readonly<Record<string, string>> }[] = [];
  for (const port of bridge.ports) {
    const row = rows.get(port.name);
    const here = row?.bridge === bridge.name ? row : undefined;
    const marks = rowMarks(port);
    if (here === undefined && port.plugged === 'other') continue; // Unplugged: the facts will say so.
    if (here !== undefined && (port.plugged === 'other' || isAgents(here))) {
      if (!sameMarks(marks, here.marks)) mark.push({ port: port.name, marks });
    } else if (row === undefined || moves.some((m) => m.port === port.name)) {
      add.push({ ...port, marks });
    } else {
      const reason = `bridge ${row.bridge} has this port already, and not by us`;
      exceptions.push({ bridge: bridge.name, port: port.name, reason });
    }
  }
  const wanted = new Set(bridge.ports.map((p) => p.name));
  const moved = new Set(moves.filter((m) => m.bridge === bridge.name).map((m) => m.port));
  const left = interfaces.filter(
    (row) => row.bridge === bridge.name && !wanted.has(portName(row)) && !moved.has(portName(row)),
  );
  const names = (found: readonly ObservedInterface[]) => [...new Set(found.map(portName))];
  return {
    add,
    mark,
    unmark: names(left.filter((r) => !isAgents(r) && Object.keys(r.marks).length > 0)),
    remove: names(left.filter(isAgents)),
  };
}
