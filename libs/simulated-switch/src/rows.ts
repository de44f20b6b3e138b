import { assertNever } from '#kernel';
import {
  pluggedSettings,
  type BridgeExports,
  type BridgePort,
  type ObservedInterface,
  type OvsdbChange,
} from '#openflow';
import { refuse } from './bridge/problems.js';
import { type BridgePorts, type SimInterface } from './bridge/ports.js';

/** What a transaction works on. */
export interface RowTarget {
  readonly bridges: ReadonlyMap<string, unknown>;
  interfaces(): readonly ObservedInterface[];
  bridge(name: string): {
    switchName: string;
    mtu: number;
    exports: BridgeExports;
    altered: object;
    readonly ports: BridgePorts;
  };
  addBridge(name: string, switchName: string, mtu: number): void;
  removeBridge(name: string): void;
  row(name: string): SimInterface;
  plug(row: SimInterface): void;
  unplug(name: string): boolean;
}

/** Looks at all changes of a transaction first, then makes them: none or all. */
export function applyRows(
  target: RowTarget,
  changes: readonly OvsdbChange[],
  devices: readonly string[] | undefined,
): void {
  check(target, changes);
  for (const change of changes) apply(target, change, devices);
}

function check(target: RowTarget, changes: readonly OvsdbChange[]): void {
  const bridges = new Set(target.bridges.keys());
  const ports = new Map(target.interfaces().map((i) => [i.port ?? i.name, i.bridge]));
  const devices = new Set(target.interfaces().map((i) => i.name));
  for (const change of changes) {
    const { bridge } = change;
    if (change.op === 'add-bridge') {
      if (bridges.has(bridge)) throw refuse('bridge', bridge, 'exists already', 'conflict');
      if (bridge.length > 15) throw refuse('bridge', bridge, 'is longer than 15 characters', 'invalid');
      bridges.add(bridge);
      continue;
    }
    if (!bridges.has(bridge)) throw refuse('bridge', bridge, 'is unknown', 'not-found');
    if (change.op === 'add-port') {
      const holder = ports.get(change.port.name);
      if (holder !== undefined)
        throw refuse('port', change.port.name, `is plugged into ${holder}`, 'conflict');
      for (const device of membersOf(change.port)) {
        if (devices.has(device)) throw refuse('interface', device, 'is plugged already', 'conflict');
        devices.add(device);
      }
      ports.set(change.port.name, bridge);
    } else if (change.op === 'mark-port' || change.op === 'set-port' || change.op === 'remove-port') {
      if (ports.get(change.port) !== bridge)
        throw refuse('port', change.port, `is not in ${bridge}`, 'not-found');
      if (change.op !== 'remove-port') continue;
      ports.delete(change.port);
      for (const { name } of rowsOf(target, change)) devices.delete(name);
    } else if (change.op === 'remove-bridge') {
      bridges.delete(bridge);
      for (const [port, of] of ports) if (of === bridge) ports.delete(port);
      for (const row of target.interfaces()) if (row.bridge === bridge) devices.delete(row.name);
    }
  }
}

function apply(target: RowTarget, change: OvsdbChange, devices: readonly string[] | undefined): void {
  switch (change.op) {
    case 'add-bridge':
      return target.addBridge(change.bridge, change.switch, change.mtu);
    case 'set-bridge': {
      const bridge = target.bridge(change.bridge);
      bridge.switchName = change.switch;
      bridge.mtu = change.mtu;
      bridge.altered = {};
      return;
    }
    case 'set-exports':
      target.bridge(change.bridge).exports = change.exports;
      return;
    case 'remove-bridge':
      return target.removeBridge(change.bridge);
    case 'add-port':
      return membersOf(change.port).forEach((device) => plug(target, change, device, devices));
    case 'mark-port':
      for (const { name } of rowsOf(target, change)) target.row(name).marks = change.marks;
      return;
    case 'set-port':
      for (const { name } of rowsOf(target, change)) target.row(name).settings = change.settings;
      return;
    case 'remove-port':
      for (const { name } of rowsOf(target, change)) target.unplug(name);
      return;
    default:
      assertNever(change);
  }
}

const membersOf = (port: BridgePort): readonly string[] => port.bond?.members ?? [port.name];

/** The interfaces of a port: one, or the members of a bond. */
function rowsOf(
  target: RowTarget,
  { bridge, port }: { readonly bridge: string; readonly port: string },
): readonly ObservedInterface[] {
  return target.interfaces().filter((i) => i.bridge === bridge && (i.port ?? i.name) === port);
}

function plug(
  target: RowTarget,
  { bridge, port }: Extract<OvsdbChange, { op: 'add-port' }>,
  device: string,
  devices: readonly string[] | undefined,
): void {
  const there = devices === undefined || devices.includes(device);
  target.plug({
    bridge,
    name: device,
    port: port.name === device ? undefined : port.name,
    type: port.type,
    ofport: there ? target.bridge(bridge).ports.allot() : undefined,
    linkUp: there,
    externalIds: {},
    marks: port.marks,
    mac: undefined,
    mtu: undefined,
    settings: pluggedSettings(port),
    error: there ? undefined : `could not open network device ${device} (No such device)`,
  });
}
