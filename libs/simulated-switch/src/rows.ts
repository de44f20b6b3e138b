import { assertNever } from '#kernel';
import { type BridgeExports, type ObservedInterface, type OvsdbChange } from '#openflow';
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
  const ports = new Map(target.interfaces().map((i) => [i.name, i.bridge]));
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
      ports.set(change.port.name, bridge);
    } else if (change.op === 'mark-port' || change.op === 'remove-port') {
      if (ports.get(change.port) !== bridge)
        throw refuse('port', change.port, `is not in ${bridge}`, 'not-found');
      if (change.op === 'remove-port') ports.delete(change.port);
    } else if (change.op === 'remove-bridge') {
      bridges.delete(bridge);
      for (const [port, of] of ports) if (of === bridge) ports.delete(port);
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
      return;
    }
    case 'set-exports':
      target.bridge(change.bridge).exports = change.exports;
      return;
    case 'remove-bridge':
      return target.removeBridge(change.bridge);
    case 'add-port': {
      const { name, type, marks } = change.port;
      const there = devices === undefined || devices.includes(name);
      return target.plug({
        bridge: change.bridge,
        name,
        type,
        ofport: there ? target.bridge(change.bridge).ports.allot() : undefined,
        linkUp: there,
        externalIds: {},
        marks,
        mac: undefined,
        mtu: undefined,
        error: there ? undefined : `could not open network device ${name} (No such device)`,
      });
    }
    case 'mark-port':
      target.row(change.port).marks = change.marks;
      return;
    case 'remove-port':
      target.unplug(change.port);
      return;
    default:
      assertNever(change);
  }
}
