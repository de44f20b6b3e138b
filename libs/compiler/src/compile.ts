import { macToBigint, once } from '#kernel';
import { type Filter } from '#domain';
import {
  MEANING_MASK,
  type BridgePort,
  type BridgeState,
  type Flow,
  type ObservedInterface,
  type Piece,
  type Pieces,
} from '#openflow';
import { PieceWriter } from './pipeline/piece-writer.js';
import { FEATURES } from './pipeline/registry.js';
import { cookieOf, ruleObject } from './pipeline/cookies.js';
import { ofPort } from './features/count.js';
import { ruleLists, sameNumbers } from './features/filter/lists.js';
import { stateOf as connectionsOf } from './features/state/adopt.js';
import { zoneOfSlot } from './features/state/zones.js';
import { wireOfPort } from './features/private-vlan.js';
import { type CompileMemo, type CompiledBridge } from './memo.js';
import { countIn, countOut, portMeter } from './meters.js';
import { ownMacs } from './resolve/macs.js';
import { resolveBridges } from './resolve/bridges.js';
import { slotKey } from './slots.js';
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
  const { bridges, exceptions, since } = resolveBridges(desired, local, memo?.resolved);
  const last = memo?.last ?? null;
  const quick =
    since !== undefined && since.bridges === last?.plans ? { last, changed: since.changed } : null;
  const refused = new Set(exceptions.map((e) => e.port));
  const made = bridges.map((bridge, i) => {
    const before = quick?.last.bridges[i];
    if (quick === null || before === undefined) return compileBridge(bridge, local.round, refused, memo);
    if (bridge === before.plan) return before;
    return recompiled(bridge, before, quick.changed[i] ?? [], local.round, refused, memo);
  });
  const compiled: Compiled = {
    state: { bridges: made.map(({ state }) => state) },
    exceptions: quick?.last.compiled.exceptions ?? [...exceptions].sort(byObject),
    bindings: made.length === 1 ? made[0]!.bindings : made.flatMap(({ bindings }) => bindings),
    quarantined: quick?.last.compiled.quarantined ?? quarantined(desired, local, bridges),
  };
  memo?.remember({ plans: bridges, bridges: made, compiled }, quick !== null);
  return compiled;
}

type Refused = ReadonlySet<string | null>;

function compileBridge(
  bridge: BridgePlan,
  round: number,
  refused: Refused,
  memo: CompileMemo | undefined,
): CompiledBridge {
  const writer = new PieceWriter(bridge, round, memo);
  const all = [...bridge.ports, ...bridge.closed];
  const pieces = new Map([['', writer.bridge()]]);
  for (const port of all) pieces.set(keyOf(port), writer.port(port));
  const parts = writer.parts();
  for (const [key, part] of parts) pieces.set(key, part);
  const sorted = all.sort((a, b) => a.slot - b.slot);
  const bindingOf = bindings(bridge, round, refused, memo);
  return {
    plan: bridge,
    state: stateOf(bridge, pieces, bridgePorts(bridge)),
    parts: parts.map(([key]) => key),
    bindings: sorted.map(bindingOf),
    at: once(() => new Map(sorted.map((port, i) => [keyOf(port), i]))),
  };
}

/** Where only the policy of some ports became another. */
function recompiled(
  bridge: BridgePlan,
  before: CompiledBridge,
  changed: readonly number[],
  round: number,
  refused: Refused,
  memo: CompileMemo | undefined,
): CompiledBridge {
  const writer = new PieceWriter(bridge, round, memo);
  const ports = changed.flatMap((i) => bridge.ports[i] ?? []);
  const pieces = new Map(before.state.pieces);
  pieces.set('', writer.bridge());
  for (const port of ports) pieces.set(keyOf(port), writer.port(port));
  for (const key of before.parts) pieces.delete(key);
  const parts = writer.parts();
  for (const [key, part] of parts) pieces.set(key, part);
  const made = [...before.bindings];
  // Nobody has seen these plans before.
  const bindingOf = bindings(bridge, round, refused, undefined);
  const isNumberedAnew = !sameNumbers(ruleLists(bridge.ports), ruleLists(before.plan.ports));
  for (const port of isNumberedAnew ? bridge.ports : ports) {
    const at = before.at().get(keyOf(port));
    if (at !== undefined) made[at] = bindingOf(port);
  }
  const state = stateOf(bridge, pieces, before.state.ports);
  return { ...before, plan: bridge, state, parts: parts.map(([key]) => key), bindings: made };
}

const keyOf = ({ port, epoch }: PortPlan): string => slotKey(port, epoch);

function stateOf(bridge: BridgePlan, pieces: Pieces, ports: BridgeState['ports']): BridgeState {
  const flows = once(() => gathered(pieces, (piece) => piece.flows).sort(byTableAndPriority));
  const groups = once(() => gathered(pieces, (piece) => piece.groups).sort(byId));
  const meters = once(() => gathered(pieces, (piece) => piece.meters).sort(byId));
  return {
    name: bridge.name,
    switch: bridge.switch,
    ports,
    mtu: bridge.mtu,
    ...(bridge.exports === undefined ? {} : { exports: bridge.exports }),
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
function gathered<T>(pieces: Pieces, of: (piece: Piece) => readonly T[]): T[] {
  const all: T[] = [];
  const owners = [...pieces.values()];
  for (let i = 0; i < FEATURES.length; i += 1)
    for (const { list } of owners) for (const item of of(list[i]!)) all.push(item);
  return all;
}

function bridgePorts({ devices, lags, ports, closed }: BridgePlan): BridgePort[] {
  const bundled = new Set(lags.flatMap((lag) => lag.devices));
  const plug = (name: string, uplink: string): BridgePort => ({
    name,
    plugged: 'agent',
    type: '',
    marks: { 'portolan-uplink': uplink },
  });
  const uplinks = [
    ...devices.flatMap(({ device, uplink }) => (bundled.has(device) ? [] : [plug(device, uplink)])),
    ...lags.map(({ name, port, devices: members, mode: lacp, fast }) => ({
      ...plug(port, name),
      bond: { members, lacp, fast },
    })),
  ];
  const vnics = [...ports, ...closed].flatMap(({ ifaceName, port, epoch }): BridgePort[] => {
    if (ifaceName === undefined) return [];
    return [{ name: ifaceName, plugged: 'other', type: '', marks: { 'portolan-port': `${port}@${epoch}` } }];
  });
  return [...uplinks, ...vnics].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** By slot, the number of the list of rules that holds for the port. */
const listNumbers = (bridge: BridgePlan): ReadonlyMap<number, number> =>
  new Map(ruleLists(bridge.ports).flatMap(({ number, ports }) => ports.map(({ slot }) => [slot, number])));

function bindings(bridge: BridgePlan, round: number, refused: Refused, memo: CompileMemo | undefined) {
  const lists = listNumbers(bridge);
  return (port: PortPlan): CompiledBinding => {
    const isRefused = refused.has(port.port);
    const make = (): CompiledBinding => binding(port, bridge, round, isRefused, lists);
    const isAsked = bridge.multicast !== undefined;
    const under = `${bridge.name} ${round} ${isRefused} ${lists.get(port.slot)} ${isAsked}`;
    return memo?.binding(port, under, make) ?? make();
  };
}

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
    ...(port.leased === undefined ? {} : { leased: port.leased }),
    meters: { in: countIn(port.slot), out: countOut(port.slot) },
    passing: { in: portMeter(port.slot, 'passedIn'), out: portMeter(port.slot, 'offeredOut') },
    ...carriedOf(port),
    speaks: { macs: ownMacs(port), actions: [...ofPort(port), ...wireOfPort(port)] },
    ...(bridge.multicast === undefined ? {} : { asked: port.ranges }),
    ...(ready && port.policy.filter.stateful && lists.has(port.slot) ? { zone: zoneOfSlot(port.slot) } : {}),
    ...(bridge.multicast !== undefined && port.policy.promiscuous ? { everyGroup: true } : {}),
    ...(ready ? connectionsOf(port) : {}),
    rules: countedRules(port.policy.filter, lists.get(port.slot) ?? port.slot, round),
  };
}

type CountedRules = CompiledBinding['rules'];

/** Of a filter under the number and round that were asked for last: ports of one group have all three in common. */
const counted = new WeakMap<Filter, { readonly list: number; readonly round: number; rules: CountedRules }>();

function countedRules(filter: Filter, list: number, round: number): CountedRules {
  const last = counted.get(filter);
  if (last?.list === list && last.round === round) return last.rules;
  const rules = filter.rules.flatMap(({ name, enabled }, index) =>
    enabled ? [{ name, cookie: cookieOf('filter', ruleObject(list, index), round), mask: MEANING_MASK }] : [],
  );
  counted.set(filter, { list, round, rules });
  return rules;
}

function carriedOf({ team, policy, mac, ranges }: PortPlan): Pick<CompiledBinding, 'carried'> {
  if (team === undefined) return {};
  const { vlan, macs, teaming } = policy;
  const tags = vlan.mode === 'private' ? [{ from: vlan.secondary, to: vlan.secondary }] : ranges;
  const { uplinks, kind } = team;
  return { carried: { uplinks, kind, teaming, macs: [mac, ...macs.extra.map(macToBigint)], tags } };
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
