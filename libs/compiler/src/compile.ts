import { once } from '#kernel';
import {
  MEANING_MASK,
  type BridgePort,
  type BridgeState,
  type Flow,
  type ObservedInterface,
  type Piece,
} from '#openflow';
import { type Collected, Emitter } from './pipeline/emitter.js';
import { FEATURES } from './pipeline/registry.js';
import { cookieOf, ruleObject } from './pipeline/cookies.js';
import { ruleLists } from './features/filter/lists.js';
import { shapingMeters } from './features/shaping.js';
import { type CompileMemo } from './memo.js';
import { countIn, countOut } from './meters.js';
import { resolveBridges } from './resolve/bridges.js';
import { isPlugged, type BridgePlan, type PortPlan } from './resolve/plan.js';
import {
  type Compiled,
  type CompiledBinding,
  type CompileException,
  type Desired,
  type LocalFacts,
} from './types.js';

/**
 * Documents and local facts → what the host's switch must be. Pure, total and independent of the order of its
 * inputs. What can't be carried out is an exception; its port is closed and everything else is compiled. `memo` makes
 * it quicker, and nothing else: see there.
 */
export function compile(desired: Desired, local: LocalFacts, memo?: CompileMemo): Compiled {
  const { bridges, exceptions } = resolveBridges(desired, local, memo?.resolved);
  const refused = new Set(exceptions.map((e) => e.port));
  const states = bridges.map((bridge) => compileBridge(bridge, local.round, memo));
  memo?.sweep();
  return {
    state: { bridges: states },
    exceptions: [...exceptions].sort(byObject),
    bindings: bridges.flatMap((bridge) => {
      const lists = listNumbers(bridge);
      return [...bridge.ports, ...bridge.closed]
        .sort((a, b) => a.slot - b.slot)
        .map((port) => {
          const isRefused = refused.has(port.port);
          const make = (): CompiledBinding => binding(port, bridge, local.round, isRefused, lists);
          const under = `${bridge.name} ${local.round} ${isRefused} ${lists.get(port.slot)}`;
          return memo?.binding(port, under, make) ?? make();
        });
    }),
    quarantined: quarantined(desired, local, bridges),
  };
}

function compileBridge(bridge: BridgePlan, round: number, memo: CompileMemo | undefined): BridgeState {
  const pens = FEATURES.map((feature) => new Emitter(feature.name, round, emptyCollected()));
  const ofPort = (plan: PortPlan, i: number): Piece =>
    written(pens[i]!, (out) => {
      if (plan.life === 'closed') FEATURES[i]!.closed?.(plan, out);
      else FEATURES[i]!.port?.(plan, out, bridge);
    });
  const ofBridge = (plan: BridgePlan, i: number): Piece =>
    written(pens[i]!, (out) => FEATURES[i]!.bridge?.(plan, out));
  const all = FEATURES.length;
  const pieces = new Map<string, readonly Piece[]>();
  pieces.set('', memo?.bridge(bridge, round, all, ofBridge) ?? FEATURES.map((_, i) => ofBridge(bridge, i)));
  for (const port of [...bridge.ports, ...bridge.closed]) {
    const made = memo?.port(bridge, port, round, all, ofPort) ?? FEATURES.map((_, i) => ofPort(port, i));
    pieces.set(`${port.port}@${port.epoch}`, made);
  }
  const flows = once(() => gathered(pieces, (piece) => piece.flows).sort(byTableAndPriority));
  const groups = once(() => gathered(pieces, (piece) => piece.groups).sort(byId));
  const meters = once(() => gathered(pieces, (piece) => piece.meters).sort(byId));
  return {
    name: bridge.name,
    switch: bridge.switch,
    ports: bridgePorts(bridge),
    mtu: bridge.mtu,
    pieces,
    // Whoever compares by pieces never asks for the whole.
    get flows() {
      return flows();
    },
    get groups() {
      return groups();
    },
    get meters() {
      return meters();
    },
  };
}

/** Feature by feature, so that the order does not depend on what was remembered. */
function gathered<T>(pieces: NonNullable<BridgeState['pieces']>, of: (piece: Piece) => readonly T[]): T[] {
  const all: T[] = [];
  const owners = [...pieces.values()];
  for (let i = 0; i < FEATURES.length; i += 1)
    for (const list of owners) for (const item of of(list[i]!)) all.push(item);
  return all;
}

const emptyCollected = (): Collected => ({ flows: [], groups: [], meters: [] });

function written(out: Emitter, write: (out: Emitter) => void): Piece {
  const into = emptyCollected();
  out.into = into;
  write(out);
  return into;
}

function bridgePorts({ devices, ports, closed }: BridgePlan): BridgePort[] {
  const uplinks = devices.map(({ device, uplink }): BridgePort => ({
    name: device,
    plugged: 'agent',
    type: '',
    marks: { 'portolan-uplink': uplink },
  }));
  const vnics = [...ports, ...closed].flatMap(({ ifaceName, port, epoch }): BridgePort[] => {
    if (ifaceName === undefined) return [];
    return [{ name: ifaceName, plugged: 'other', type: '', marks: { 'portolan-port': `${port}@${epoch}` } }];
  });
  return [...uplinks, ...vnics].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By slot, the number of the list of rules that holds for the port. */
const listNumbers = (bridge: BridgePlan): ReadonlyMap<number, number> =>
  new Map(ruleLists(bridge.ports).flatMap(({ number, ports }) => ports.map(({ slot }) => [slot, number])));

function binding(
  port: PortPlan,
  bridge: BridgePlan,
  round: number,
  refused: boolean,
  lists: ReadonlyMap<number, number>,
): CompiledBinding {
  const ready = port.life !== 'closed' && !refused;
  return {
    port: port.port,
    epoch: port.epoch,
    role: port.role,
    bridge: bridge.name,
    slot: port.slot,
    ...(port.ofport === undefined ? {} : { ofport: port.ofport }),
    ...(port.ifaceName === undefined ? {} : { ifaceName: port.ifaceName }),
    ready,
    open: ready && isPlugged(port) && (port.life === 'owner' || port.life === 'armed'),
    meters: { in: countIn(port.slot), out: countOut(port.slot) },
    shapingMeters: shapingMeters(port),
    rules: port.policy.filter.rules.map((rule, index) => ({
      name: rule.name,
      cookie: cookieOf('filter', ruleObject(lists.get(port.slot) ?? port.slot, index), round),
      mask: MEANING_MASK,
    })),
  };
}

/** Everything on our bridges that is no uplink, no bridge's own device and no known port's connectee. */
function quarantined(
  desired: Desired,
  local: LocalFacts,
  bridges: readonly BridgePlan[],
): ObservedInterface[] {
  const known = new Set(
    desired.ports.flatMap((p): string[] => (p.connectee === null ? [] : [p.connectee.ifaceId])),
  );
  const byName = new Map(bridges.map((b) => [b.name, new Set(b.devices.map((d) => d.device))]));
  return local.interfaces
    .filter((iface) => {
      const devices = byName.get(iface.bridge);
      if (devices === undefined || iface.name === iface.bridge || devices.has(iface.name)) return false;
      const id = iface.externalIds['iface-id'];
      return id === undefined || !known.has(id);
    })
    .sort((a, b) => (a.bridge + a.name < b.bridge + b.name ? -1 : 1));
}

const byObject = (a: CompileException, b: CompileException): number => {
  const key = (e: CompileException) => `${e.object} ${e.code} ${e.reason}`;
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
};

const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id;

/** Stable: within a table and priority the features' own order stays, which depends on the ports' numbers only. */
const byTableAndPriority = (a: Flow, b: Flow): number => a.table - b.table || b.priority - a.priority;
