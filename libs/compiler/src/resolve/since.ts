import { equalJson, sameItems } from '#kernel';
import { type GroupDocument, type PortDocument } from '#contracts';
import { slotKey } from '../slots.js';
import { type CompileException, type Desired, type LocalFacts } from '../types.js';
import { type BridgePlan, type Place, type PortPlan } from './plan.js';
import { type PortContext, type ResolvedPort } from './ports.js';

/** One plan for each switch that the host is a member of, and what can't be carried out. */
export interface ResolvedBridges {
  readonly bridges: readonly BridgePlan[];
  readonly exceptions: readonly CompileException[];
  /** The plans of the last time, and the ports that are the only difference. Absent: there may be others. */
  readonly since?: { readonly bridges: readonly BridgePlan[]; readonly changed: Repoliced };
}

/** What was resolved the last time, and from what. */
export interface LastResolved {
  readonly desired: Desired;
  readonly facts: LocalFacts;
  readonly bridges: readonly BridgePlan[];
  readonly exceptions: readonly CompileException[];
  /** Of each switch, by its bridge's name. */
  readonly places: ReadonlyMap<string, Place>;
  /** By group; null: one of its ports is closed, and may not be any more. */
  readonly members: () => ReadonlyMap<string, readonly Member[] | null>;
}

/** A port of a group that is carried out, and where its plan stands. */
interface Member {
  readonly doc: PortDocument;
  readonly bridge: number;
  readonly at: number;
}

/** Indexes of the ports, by the place of their bridge, whose policy is another one; all else is as it was. */
export type Repoliced = readonly (readonly number[])[];

/**
 * The most frequent change of all is one of groups' policies, and it concerns the ports of these groups alone. Null:
 * something else changed, too, or a port became another than its policy says, and the whole is to be looked at.
 */
export function repoliced(
  last: LastResolved,
  desired: Desired,
  facts: LocalFacts,
  resolve: (doc: PortDocument, context: PortContext) => ResolvedPort,
  contextOf: (bridge: string, place: Place) => PortContext,
): { readonly bridges: readonly BridgePlan[]; readonly changed: Repoliced } | null {
  if (!sameFacts(last.facts, facts) || !sameButGroups(last.desired, desired)) return null;
  const groups = changedGroups(last.desired.groups, desired.groups);
  if (groups === null) return null;
  const bridges = [...last.bridges];
  const changed = bridges.map((): number[] => []);
  const contexts = new Map<string, PortContext>();
  for (const group of groups) {
    const members = last.members().get(group);
    if (members === null) return null;
    for (const { doc, bridge, at } of members ?? []) {
      const before = bridges[bridge];
      const place = before && last.places.get(before.name);
      if (before === undefined || place === undefined) return null;
      const context = contexts.get(before.name) ?? contextOf(before.name, place);
      contexts.set(before.name, context);
      const plan = standsAs(before.ports[at], resolve(doc, context));
      if (plan === null) return null;
      bridges[bridge] = withPort(before, at, plan, before !== last.bridges[bridge]);
      changed[bridge]?.push(at);
    }
  }
  return { bridges, changed };
}

/** Which ports have their policy from which group. */
export function membersOf(
  desired: Desired,
  bridges: readonly BridgePlan[],
): ReturnType<LastResolved['members']> {
  const docs = new Map(desired.ports.map((doc) => [slotKey(doc.port, doc.epoch), doc]));
  const members = new Map<string, Member[] | null>();
  for (const [bridge, { ports }] of bridges.entries())
    for (const [at, { port, epoch }] of ports.entries()) {
      const doc = docs.get(slotKey(port, epoch));
      if (doc === undefined) continue;
      docs.delete(slotKey(port, epoch));
      const list = members.get(doc.group);
      if (list === null || list === undefined) members.set(doc.group, [{ doc, bridge, at }]);
      else list.push({ doc, bridge, at });
    }
  for (const { role, group } of docs.values()) if (role !== 'retired') members.set(group, null);
  return members;
}

const sameFacts = (a: LocalFacts, b: LocalFacts): boolean =>
  a === b ||
  (a.host === b.host &&
    a.round === b.round &&
    a.interfaces === b.interfaces &&
    a.slots === b.slots &&
    a.activations === b.activations &&
    a.handedOver === b.handedOver &&
    a.teaming === b.teaming);

const sameButGroups = (a: Desired, b: Desired): boolean =>
  sameItems(a.ports, b.ports) &&
  sameItems(a.switches, b.switches) &&
  (a.host === b.host || equalJson(a.host.switches, b.host.switches));

function changedGroups(a: readonly GroupDocument[], b: readonly GroupDocument[]): readonly string[] | null {
  if (a.length !== b.length) return null;
  const changed: string[] = [];
  for (const [i, group] of b.entries()) {
    if (group === a[i]) continue;
    if (group.group !== a[i]?.group) return null;
    changed.push(group.group);
  }
  return changed;
}

/** The plan, where only its policy is another: nothing else on the bridge can depend on that. */
function standsAs(before: PortPlan | undefined, { plan, refusal }: ResolvedPort): PortPlan | null {
  if (before === undefined || plan === undefined || refusal !== undefined) return null;
  const same =
    before.port === plan.port &&
    before.epoch === plan.epoch &&
    before.life === plan.life &&
    before.slot === plan.slot &&
    before.mac === plan.mac &&
    before.ofport === plan.ofport &&
    before.ifaceName === plan.ifaceName &&
    before.token === plan.token &&
    before.stages === plan.stages &&
    before.team?.id === plan.team?.id &&
    equalJson(before.ranges, plan.ranges) &&
    equalJson(before.secondary, plan.secondary) &&
    equalJson(before.policy.macs, plan.policy.macs) &&
    equalJson(before.team, plan.team);
  return same ? plan : null;
}

function withPort(bridge: BridgePlan, at: number, plan: PortPlan, own: boolean): BridgePlan {
  if (own) {
    (bridge.ports as PortPlan[])[at] = plan;
    return bridge;
  }
  const ports = [...bridge.ports];
  ports[at] = plan;
  return { ...bridge, ports };
}
