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
import { portDrift, wantedRow, type PortBaseline } from './settings.js';

const isAgents = (row: ObservedInterface): boolean => row.marks[PLUGGED_MARK] === 'agent';

const membersOf = (port: BridgePort): readonly string[] => port.bond?.members ?? [port.name];

/**
 * Ports of ours that stand where they can't stay while what is wanted is plugged: in another bridge, as a bond of other
 * members, or on a device that belongs into another port.
 */
export function movedPorts(
  bridges: readonly BridgeState[],
  interfaces: readonly ObservedInterface[],
): Plan['moves'] {
  const places = new Map<string, string>();
  const bonds = new Map<string, string>();
  for (const bridge of bridges) {
    for (const port of bridge.ports) {
      if (port.plugged !== 'agent') continue;
      for (const device of membersOf(port)) places.set(device, `${bridge.name}/${port.name}`);
      if (port.bond !== undefined) bonds.set(port.name, [...port.bond.members].sort().join());
    }
  }
  const standing = new Map<string, string[]>();
  for (const row of interfaces)
    standing.set(portName(row), [...(standing.get(portName(row)) ?? []), row.name]);
  const misplaced = (row: ObservedInterface): boolean => {
    const place = `${row.bridge}/${portName(row)}`;
    const members = bonds.get(portName(row));
    return (
      (places.get(row.name) ?? place) !== place ||
      (members !== undefined && members !== standing.get(portName(row))?.sort().join())
    );
  };
  const moves = interfaces
    .filter((row) => isAgents(row) && misplaced(row))
    .map((row) => ({ bridge: row.bridge, port: portName(row) }));
  // The members of a bond stand for one port.
  return [...new Map(moves.map((move) => [move.port, move])).values()];
}

export function diffPorts(
  bridge: BridgeState,
  interfaces: readonly ObservedInterface[],
  moves: Plan['moves'],
  exceptions: PlanException[],
  baseline: PortBaseline = new Map(),
): PortPlan {
  const rows = new Map(interfaces.map((row) => [portName(row), row]));
  const devices = new Map(interfaces.map((row) => [row.name, row]));
  const add: BridgePort[] = [];
  const isMoved = (row: ObservedInterface) =>
    moves.some((m) => m.port === portName(row) && m.bridge === row.bridge);
  const mark: { port: string; marks: Readonly<Record<string, string>> }[] = [];
  for (const port of bridge.ports) {
    const row = rows.get(port.name);
    const here = row?.bridge === bridge.name ? row : undefined;
    const marks = rowMarks(port);
    if (here === undefined && port.plugged === 'other') continue; // Unplugged: the facts will say so.
    const stays = here !== undefined && !isMoved(here);
    if (stays && (port.plugged === 'other' || isAgents(here))) {
      if (!sameMarks(marks, here.marks)) mark.push({ port: port.name, marks });
      continue;
    }
    const holder = [row, ...membersOf(port).map((device) => devices.get(device))].find(
      (held) => held !== undefined && !isMoved(held),
    );
    if (holder === undefined) add.push({ ...port, marks });
    else {
      const reason = `bridge ${holder.bridge} has ${row === undefined ? holder.name : 'this port'} already, and not by us`;
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
    set: resets(
      bridge,
      interfaces.filter((row) => !isMoved(row)),
      baseline,
    ),
    unmark: names(left.filter((r) => !isAgents(r) && Object.keys(r.marks).length > 0)),
    remove: names(left.filter(isAgents)),
  };
}

/** Ports that somebody changed by hand since they were plugged, in the row of any of their devices. */
function resets(
  bridge: BridgeState,
  interfaces: readonly ObservedInterface[],
  baseline: PortBaseline,
): PortPlan['set'] {
  const ports = new Map(bridge.ports.map((port) => [port.name, port]));
  const changed = interfaces.flatMap((row) => {
    if (row.bridge !== bridge.name) return [];
    const wanted = wantedRow(row, ports.get(portName(row)), baseline);
    const isChanged = wanted !== null && portDrift(wanted, row).length > 0;
    return isChanged ? [[portName(row), wanted] as const] : [];
  });
  return [...new Map(changed)].map(([port, wanted]) => ({ port, ...wanted }));
}
