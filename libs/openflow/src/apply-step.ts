import { assertNever } from '#kernel';
import {
  type BridgeObservation,
  type BridgePort,
  type BundleMod,
  type DataplaneState,
  type MeterMod,
  type Observation,
  type ObservedInterface,
  type OvsdbChange,
  type Step,
} from './dataplane.js';
import { flowKey, flowPlace } from './identity.js';
import { type Flow, type FlowStats, type Group } from './model.js';
import { portName, rowMarks, SWITCH_MARK } from './plan.js';
import { references } from './references.js';
import { pluggedSettings, withKept } from './settings.js';

/** What reading would give if the switch were just what is wanted; numbers that only the switch gives are missing. */
export function observe(want: DataplaneState): Observation {
  return {
    bridges: want.bridges.map((b) => ({
      ...newBridge(b.name, b.switch, b.mtu),
      ...(b.exports === undefined ? {} : { exports: b.exports }),
      flows: b.flows.map(fresh),
      groups: b.groups,
      meters: b.meters.map((m) => ({ ...m, durationMs: 0 })),
    })),
    interfaces: want.bridges.flatMap((b) =>
      b.ports.flatMap((p) => newRows(b.name, p).map((row) => ({ ...row, marks: rowMarks(p) }))),
    ),
  };
}

/** The switch after a step, as far as it can be known without reading: what a switch does, in miniature. */
export function applyStep(have: Observation, step: Step): Observation {
  switch (step.kind) {
    case 'ovsdb':
      return step.changes.reduce(applyRow, have);
    case 'meters':
      return onBridge(have, step.bridge, (b) => step.mods.reduce(applyMeter, b));
    case 'bundle':
      return onBridge(have, step.bridge, (b) => applyBundle(b, step.mods));
    case 'effective':
    case 'flush':
    case 'purge':
      return have;
    default:
      return assertNever(step);
  }
}

export const fresh = (flow: Flow): FlowStats => ({ flow, packets: 0n, bytes: 0n, durationMs: 0 });

function newBridge(name: string, of: string, mtu: number): BridgeObservation {
  const externalIds = { [SWITCH_MARK]: of };
  return { name, externalIds, failMode: 'secure', mtu, flows: [], groups: [], meters: [], ports: [] };
}

/** The interfaces of a port: its members, or the one of its own name. */
function newRows(bridge: string, port: BridgePort): ObservedInterface[] {
  const { name, type, bond } = port;
  const settings = port.plugged === 'agent' ? pluggedSettings(port) : undefined;
  const row = {
    ...{ bridge, type, linkUp: false, externalIds: {}, marks: {} },
    ...(settings === undefined ? {} : { settings }),
  };
  return bond === undefined ? [{ ...row, name }] : bond.members.map((m) => ({ ...row, name: m, port: name }));
}

function onBridge(
  have: Observation,
  name: string,
  change: (b: BridgeObservation) => BridgeObservation,
): Observation {
  return { ...have, bridges: have.bridges.map((b) => (b.name === name ? change(b) : b)) };
}

function applyRow(have: Observation, change: OvsdbChange): Observation {
  switch (change.op) {
    case 'add-bridge':
      return { ...have, bridges: [...have.bridges, newBridge(change.bridge, change.switch, change.mtu)] };
    case 'set-bridge':
      return onBridge(
        have,
        change.bridge,
        ({ markLost: _, settings: _those, fragmentsBlind: _blind, ...b }) => ({
          ...b,
          externalIds: { ...b.externalIds, [SWITCH_MARK]: change.switch },
          failMode: 'secure',
          mtu: change.mtu,
        }),
      );
    case 'set-exports':
      return onBridge(have, change.bridge, (b) => ({ ...b, exports: change.exports }));
    case 'remove-bridge':
      return {
        ...have,
        bridges: have.bridges.filter((b) => b.name !== change.bridge),
        interfaces: have.interfaces.filter((i) => i.bridge !== change.bridge),
      };
    case 'add-port': {
      const rows = newRows(change.bridge, change.port).map((row) => ({ ...row, marks: change.port.marks }));
      return { ...have, interfaces: [...have.interfaces, ...rows] };
    }
    case 'mark-port': {
      const interfaces = have.interfaces.map((i) =>
        i.bridge === change.bridge && portName(i) === change.port ? { ...i, marks: change.marks } : i,
      );
      return { ...have, interfaces };
    }
    case 'set-port': {
      const interfaces = have.interfaces.map((i) =>
        i.bridge === change.bridge && portName(i) === change.port
          ? withKept(i, change.settings, change.device)
          : i,
      );
      return { ...have, interfaces };
    }
    case 'remove-port': {
      const isIt = (i: ObservedInterface) => i.bridge === change.bridge && portName(i) === change.port;
      return { ...have, interfaces: have.interfaces.filter((i) => !isIt(i)) };
    }
    default:
      return assertNever(change);
  }
}

function applyMeter(b: BridgeObservation, mod: MeterMod): BridgeObservation {
  if (mod.op !== 'delete') {
    const meter = { ...mod.meter, durationMs: 0 };
    return { ...b, meters: [...b.meters.filter((m) => m.id !== meter.id), meter] };
  }
  const flows = b.flows.filter(({ flow }) => !references([flow]).meters.has(mod.id));
  return { ...b, flows, meters: b.meters.filter((m) => m.id !== mod.id) };
}

function applyBundle(b: BridgeObservation, mods: readonly BundleMod[]): BridgeObservation {
  const [untouched, touched] = touchedBy(b.flows, mods);
  const flows = new Map(touched.map((f) => [flowKey(f.flow), f]));
  const groups = new Map<number, Group>(b.groups.map((g) => [g.id, g]));
  for (const mod of mods) {
    if (mod.op === 'add-flow') flows.set(flowKey(mod.flow), fresh(mod.flow));
    else if (mod.op === 'delete-flow') flows.delete(flowKey(mod.flow));
    else if (mod.op !== 'delete-group') groups.set(mod.group.id, mod.group);
    else {
      groups.delete(mod.id);
      for (const [key, { flow }] of flows) if (references([flow]).groups.has(mod.id)) flows.delete(key);
    }
  }
  return { ...b, flows: [...untouched, ...flows.values()], groups: [...groups.values()] };
}

/** Flows that no change can mean, and the others; a group that goes takes along any flow. */
function touchedBy(flows: readonly FlowStats[], mods: readonly BundleMod[]): [FlowStats[], FlowStats[]] {
  const places = new Set<number>();
  for (const mod of mods) {
    if (mod.op === 'delete-group') return [[], [...flows]];
    if (mod.op === 'add-flow' || mod.op === 'delete-flow') places.add(flowPlace(mod.flow));
  }
  const untouched: FlowStats[] = [];
  const touched: FlowStats[] = [];
  for (const f of flows) (places.has(flowPlace(f.flow)) ? touched : untouched).push(f);
  return [untouched, touched];
}
