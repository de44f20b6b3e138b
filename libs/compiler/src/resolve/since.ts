import { equalJson, sameItems } from '#kernel';
import { type GroupDocument, type PortDocument } from '#contracts';
import { slotKey } from '../slots.js';
import { type CompileException, type Desired, type LocalFacts } from '../types.js';
import { sameButPolicy, type BridgePlan, type Place, type PortPlan } from './plan.js';
import { contextOn, type HostContext, type PortContext, type ResolvedPort } from './ports.js';

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
  host: HostContext,
  resolve: (doc: PortDocument, context: PortContext) => ResolvedPort,
): { readonly bridges: readonly BridgePlan[]; readonly changed: Repoliced } | null {
  if (!sameFacts(last.facts, facts) || !sameButGroups(last.desired, desired)) return null;
  const groups = changedGroups(last.desired.groups, desired.groups);
  if (groups === null) return null;
  const ports = last.bridges.map((bridge) => [...bridge.ports]);
  const changed = last.bridges.map((): number[] => []);
  const contexts = last.bridges.map(({ name }) => {
    const place = last.places.get(name);
    return place && contextOn(host, name, place);
  });
  for (const group of groups) {
    const members = last.members().get(group);
    if (members === null) return null;
    for (const { doc, bridge, at } of members ?? []) {
      const [context, before] = [contexts[bridge], ports[bridge]?.[at]];
      if (context === undefined || before === undefined) return null;
      const { plan, refusal } = resolve(doc, context);
      if (plan === undefined || refusal !== undefined || !aloneConcerned(before, plan)) return null;
      ports[bridge]![at] = plan;
      changed[bridge]!.push(at);
    }
  }
  const bridges = last.bridges.map((bridge, i) =>
    changed[i]!.length === 0 ? bridge : { ...bridge, ports: ports[i]! },
  );
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

/**
 * Where only its policy is another, nothing else on the bridge can depend on it: but on the stages that its frames pass,
 * and on its own MACs, the others do.
 */
const aloneConcerned = (before: PortPlan, plan: PortPlan): boolean =>
  sameButPolicy(before, plan) &&
  before.stages === plan.stages &&
  equalJson(before.policy.macs, plan.policy.macs);
