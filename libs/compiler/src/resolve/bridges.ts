import { NO_FEATURES, TRAFFIC_CLASSES } from '#domain/on-host';
import {
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type SetDocument,
  type SwitchDocument,
} from '#contracts';
import { CLASSES } from '../features/bandwidth.js';
import { bridgeName } from '../bridge-name.js';
import { slotKey } from '../slots.js';
import { type CompileException, type Desired, type LocalFacts } from '../types.js';
import { refuseConflicts } from './conflicts.js';
import { exportsOf } from './exports.js';
import { Interfaces } from './interfaces.js';
import { resolveLags } from './lags.js';
import { resolveMirrors } from './mirrors.js';
import { multicastOf, refusedGroups } from './multicast.js';
import { type BridgePlan, type PortPlan, type TeamPlan } from './plan.js';
import { judgePnics } from './pnics.js';
import { contextOn, resolvePort, type HostContext, type ResolvedPort } from './ports.js';
import { type ResolveMemo } from './remember.js';
import { refuseSets, setPlans } from './sets.js';
import { type ResolvedBridges } from './since.js';
import { unsupportedOnSwitch } from './unsupported.js';
import { resolveUplinks } from './uplinks.js';

type Membership = HostDocument['switches'][number];

/** What a switch whose document is missing gets: its bridge and its meters stay, nothing passes. */
const FALLBACK_MTU = 1500;

/** Documents and facts → one plan for each switch that the host is a member of. `memo` only makes it quicker. */
export function resolveBridges(desired: Desired, facts: LocalFacts, memo?: ResolveMemo): ResolvedBridges {
  const shared: Shared = {
    memo,
    groups: new Map<string, GroupDocument>(desired.groups.map((g) => [g.group, g])),
    sets: new Map<string, SetDocument>(desired.sets?.map((s) => [s.set, s])),
    interfaces: memo?.interfaces(facts.interfaces) ?? new Interfaces(facts.interfaces),
    facts,
    activated: new Set(facts.activations.map((a) => slotKey(a.port, a.epoch))),
    turned: new Set(facts.handedOver.map((a) => slotKey(a.port, a.epoch))),
  };
  return memo?.since(desired, facts, shared) ?? resolveAll(desired, shared);
}

function resolveAll(desired: Desired, shared: Shared): ResolvedBridges {
  const { facts, memo } = shared;
  const exceptions: CompileException[] = [];
  const docs = new Map<string, SwitchDocument>(desired.switches.map((s) => [s.switch, s]));
  const ports = portsBySwitch(desired, facts, exceptions);
  const bridges = memberships(desired.host, exceptions).map((member) =>
    resolveBridge(member, docs.get(member.switch), ports.get(member.switch) ?? [], shared, exceptions),
  );
  const resolved = { bridges, exceptions };
  memo?.remember(desired, facts, resolved);
  return resolved;
}

interface Shared extends HostContext {
  readonly memo: ResolveMemo | undefined;
}

function resolveBridge(
  member: Membership,
  doc: SwitchDocument | undefined,
  docs: readonly PortDocument[],
  shared: Shared,
  exceptions: CompileException[],
): BridgePlan {
  const name = bridgeName(member.switch);
  const onBridge = shared.facts.interfaces.filter((i) => i.bridge === name);
  const fit = judgePnics(member, onBridge, shared.facts.pnics);
  exceptions.push(...fit.exceptions);
  const resolved = doc === undefined ? undefined : resolveUplinks(doc, fit.uplinks, onBridge);
  exceptions.push(...(resolved?.exceptions ?? []));
  if (doc !== undefined) exceptions.push(...unsupportedOnSwitch(doc));
  const bundles = doc === undefined ? undefined : resolveLags(doc, fit.uplinks);
  exceptions.push(...(bundles?.exceptions ?? []));
  if (doc === undefined) exceptions.push(switchMissing(member.switch));
  const { memo, facts } = shared;
  const uplinks = resolved?.uplinks ?? [];
  const mirrored = resolveMirrors(doc, uplinks, docs, facts.slots);
  exceptions.push(...mirrored.exceptions);
  const found = {
    switchDoc: doc,
    mapping: member.uplinks,
    uplinks,
    interfaces: facts.interfaces,
    passedOver: facts.teaming?.passedOver[member.switch] ?? [],
    unhealthy: facts.teaming?.unhealthy[member.switch] ?? [],
    mirrors: mirrored.mirrors,
  };
  const place = memo?.place(name, found) ?? found;
  const context = contextOn(shared, name, place);
  const each = docs.map((port) => memo?.port(port, context) ?? resolvePort(port, context));
  const entries = refuseConflicts(refuseSets(each, docs, context));
  const sets = setPlans(entries, context);
  entries.forEach((entry, i) => refusal(entry, docs[i], exceptions));
  const plans = entries.flatMap(({ plan }) => (plan === undefined ? [] : [plan]));
  const open = plans.filter((plan) => plan.life !== 'closed');
  const multicast = multicastOf(doc, facts);
  exceptions.push(...refusedGroups(multicast, open));
  return {
    name,
    switch: member.switch,
    mtu: doc?.mtu ?? FALLBACK_MTU,
    devices: Object.entries(fit.uplinks)
      .filter(([uplink]) => doc === undefined || doc.uplinks.includes(uplink))
      .map(([uplink, device]) => ({ uplink, device })),
    lags: bundles?.lags ?? [],
    uplinks: place.uplinks,
    teams: teamsOf(open),
    privateVlans: doc?.privateVlans ?? [],
    heard: heardBy(doc, open),
    sets: memo?.sets(name, sets) ?? sets,
    mirrors: place.mirrors,
    mirrorVlans: (doc?.mirrors ?? []).flatMap(({ to }) => ('vlan' in to ? [to.vlan] : [])),
    ...(doc === undefined ? {} : exportsOf(doc)),
    classLimits: classLimitsOf(doc),
    ...(multicast === undefined ? {} : { multicast }),
    ports: open,
    closed: plans.filter((plan) => plan.life === 'closed'),
  };
}

function refusal(entry: ResolvedPort, doc: PortDocument | undefined, exceptions: CompileException[]): void {
  if (entry.refusal === undefined || doc === undefined) return;
  exceptions.push({ port: doc.port, object: `port/${doc.port}`, ...entry.refusal });
}

function heardBy(doc: SwitchDocument | undefined, ports: readonly PortPlan[]): BridgePlan['heard'] {
  const { discovery, healthCheck } = doc ?? NO_FEATURES;
  const wanted = {
    neighbour: discovery.mode === 'listen' || discovery.mode === 'both',
    beacon: ports.some((p) => p.team !== undefined && p.policy.teaming.detection === 'beacon'),
    probe: healthCheck !== null,
  };
  return (['neighbour', 'beacon', 'probe'] as const).filter((kind) => wanted[kind]);
}

function classLimitsOf(doc: SwitchDocument | undefined): BridgePlan['classLimits'] {
  const classes = doc?.bandwidth?.classes ?? {};
  return TRAFFIC_CLASSES.flatMap((name) => {
    const limit = classes[name]?.limit ?? null;
    return limit === null ? [] : [{ number: CLASSES[name], limit }];
  });
}

const switchMissing = (name: string): CompileException => ({
  port: null,
  object: `switch/${name}`,
  code: 'switch-missing',
  reason: `the document of switch ${name} is not held`,
});

function teamsOf(ports: readonly PortPlan[]): TeamPlan[] {
  const teams = new Map<number, TeamPlan>();
  for (const { team } of ports) if (team !== undefined) teams.set(team.id, team);
  return [...teams.values()].sort((a, b) => a.id - b.id);
}

/** By port number, so that the result does not depend on the order in which documents came. */
function portsBySwitch(
  desired: Desired,
  facts: LocalFacts,
  exceptions: CompileException[],
): Map<string, PortDocument[]> {
  const members = new Set(desired.host.switches.map((s) => s.switch));
  const bySwitch = new Map<string, PortDocument[]>();
  for (const doc of [...desired.ports].sort((a, b) => portNumber(a) - portNumber(b))) {
    const refuse = (code: 'wrong-host' | 'not-a-member', reason: string) =>
      exceptions.push({ port: doc.port, object: `port/${doc.port}`, code, reason });
    if (doc.host !== facts.host) refuse('wrong-host', `its document is for host ${doc.host}`);
    else if (!members.has(doc.switch))
      refuse('not-a-member', `this host is no member of switch ${doc.switch}`);
    else bySwitch.set(doc.switch, [...(bySwitch.get(doc.switch) ?? []), doc]);
  }
  return bySwitch;
}

const portNumber = (doc: PortDocument): number => Number(doc.port.slice(1));

/** Switches by name; each bridge name and each device belongs to one of them. */
function memberships(host: HostDocument, exceptions: CompileException[]): Membership[] {
  const names = new Map<string, string>();
  const devices = new Map<string, string>();
  return [...host.switches].sort(bySwitchName).flatMap((member) => {
    const object = `switch/${member.switch}`;
    const name = bridgeName(member.switch);
    const holder = names.get(name);
    if (holder !== undefined) {
      const reason = `its bridge name ${name} is that of switch ${holder}`;
      exceptions.push({ port: null, object, code: 'bridge-name-taken', reason });
      return [];
    }
    names.set(name, member.switch);
    const uplinks: Record<string, string> = {};
    for (const [uplink, device] of Object.entries(member.uplinks).sort()) {
      const owner = devices.get(device);
      if (owner === undefined) {
        devices.set(device, member.switch);
        uplinks[uplink] = device;
      } else {
        const reason = `uplink ${uplink}: device ${device} belongs to switch ${owner}`;
        exceptions.push({ port: null, object, code: 'device-shared', reason });
      }
    }
    return [{ ...member, uplinks }];
  });
}

const bySwitchName = (a: Membership, b: Membership): number =>
  a.switch < b.switch ? -1 : a.switch > b.switch ? 1 : 0;
