import { equalJson, sameItems } from '#kernel';
import { type Policy } from '#domain';
import { type GroupDocument, type PortDocument, type SetDocument } from '#contracts';
import { slotKey } from '../slots.js';
import { type CompileException, type Desired, type LocalFacts } from '../types.js';
import { withPolicy, type BridgePlan, type Place, type PortPlan, type SetPlan } from './plan.js';
import { contextOn, heldPolicy, type HostContext, type PolicyPlan, type PortContext } from './ports.js';
import { lackingSet, setsIn, unusable } from './sets.js';

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
  readonly seats: () => Seats;
}

/** Where the ports of documents stand in the plans, which a change of policy leaves as it is. */
interface Seats {
  /** In the order of the documents; undefined: it is not carried out. */
  readonly seats: readonly (Seat | undefined)[];
  /** Indexes of documents, by group; null: a port of the group is closed, and may not be any more. */
  readonly members: ReadonlyMap<string, readonly number[] | null>;
}

interface Seat {
  readonly bridge: number;
  readonly at: number;
}

/** Indexes of the ports, by the place of their bridge, whose policy is another one; all else is as it was. */
export type Repoliced = readonly (readonly number[])[];

/** The plans of the last time with what changed put in. */
interface Changed {
  readonly bridges: readonly BridgePlan[];
  readonly changed: Repoliced;
}

/**
 * The most frequent changes of all are of policies, and of what sets hold: only these are put into the plans of the
 * last time. Null: something else changed, too, or others depend on what did, and the whole is to be looked at.
 */
export function changedSince(
  last: LastResolved,
  desired: Desired,
  facts: LocalFacts,
  host: HostContext,
): Changed | null {
  if (!sameFacts(last.facts, facts) || !sameFrame(last.desired, desired)) return null;
  return sameItems(last.desired.sets ?? [], desired.sets ?? [])
    ? repoliced(last, desired, host)
    : refilled(last, desired, host.sets);
}

/** Where policies of groups changed, and what ports override: it concerns these ports alone. */
function repoliced(last: LastResolved, desired: Desired, host: HostContext): Changed | null {
  const groups = changedGroups(last.desired.groups, desired.groups);
  const own = changedPorts(last.desired.ports, desired.ports);
  if (groups === null || own === null) return null;
  const concerned = concernedBy(groups, own, desired, last.seats());
  if (concerned === null) return null;
  const anew = new Anew(last, host);
  for (const i of concerned) {
    const [doc, seat] = [desired.ports[i], last.seats().seats[i]];
    if (doc === undefined || seat === undefined || !anew.take(doc, seat)) return null;
  }
  return anew;
}

/** Where members of sets changed: no port is another, and no bit, unless a set that was not to be had may be. */
function refilled(
  last: LastResolved,
  desired: Desired,
  sets: ReadonlyMap<string, SetDocument>,
): Changed | null {
  if (!sameItems(last.desired.ports, desired.ports) || !sameItems(last.desired.groups, desired.groups))
    return null;
  if (last.exceptions.some(({ code }) => ABOUT_SETS.has(code))) return null;
  const bridges: BridgePlan[] = [];
  for (const bridge of last.bridges) {
    const plans = bridge.sets.map((plan) => refill(plan, sets.get(plan.name)));
    if (plans.includes(null)) return null;
    const same = plans.every((plan, i) => plan === bridge.sets[i]);
    bridges.push(same ? bridge : { ...bridge, sets: plans as readonly SetPlan[] });
  }
  return { bridges, changed: bridges.map(() => []) };
}

const ABOUT_SETS: ReadonlySet<CompileException['code']> = new Set([
  'set-invalid',
  'set-missing',
  'set-stale',
  'sets-too-many',
]);

function refill(plan: SetPlan, document: SetDocument | undefined): SetPlan | null {
  const { document: before } = plan;
  if (document === before) return plan;
  const stands =
    document?.members.kind === before.members.kind &&
    document.lineage === before.lineage &&
    document.revision >= before.revision &&
    unusable(document) === null;
  return stands ? { ...plan, document } : null;
}

/** Indexes of the documents whose policy may be another now. */
function concernedBy(
  groups: readonly string[],
  own: readonly number[],
  { ports }: Desired,
  { members }: Seats,
): readonly number[] | null {
  const concerned: number[] = [];
  for (const group of groups) {
    const some = members.get(group);
    if (some === null) return null;
    concerned.push(...(some ?? []));
  }
  for (const i of own) if (!groups.includes(ports[i]?.group ?? '')) concerned.push(i);
  return concerned;
}

/** The plans of the last time, with other policies put in. */
class Anew {
  readonly changed: number[][];
  readonly #ports: PortPlan[][];
  readonly #contexts: (PortContext | undefined)[];
  /** Ports of one group go from one policy to one other. */
  #alike: { readonly from: Policy; readonly to: Policy } | null = null;

  constructor(
    private readonly last: LastResolved,
    host: HostContext,
  ) {
    this.changed = last.bridges.map(() => []);
    this.#ports = last.bridges.map(({ ports }) => [...ports]);
    this.#contexts = last.bridges.map(({ name }) => {
      const place = last.places.get(name);
      return place && contextOn(host, name, place);
    });
  }

  get bridges(): readonly BridgePlan[] {
    return this.last.bridges.map((bridge, i) =>
      this.changed[i]!.length === 0 ? bridge : { ...bridge, ports: this.#ports[i]! },
    );
  }

  /** False: the port becomes another than its policy says. */
  take(doc: PortDocument, { bridge, at }: Seat): boolean {
    const [context, before] = [this.#contexts[bridge], this.#ports[bridge]?.[at]];
    if (context === undefined || before === undefined) return false;
    const now = heldPolicy(doc, context);
    if ('code' in now || !this.#isAlone(before, now)) return false;
    if (lackingSet(now.policy.filter, doc, context) !== null) return false;
    this.#ports[bridge]![at] = withPolicy(before, now.policy);
    this.changed[bridge]!.push(at);
    return true;
  }

  #isAlone(before: PortPlan, now: PolicyPlan): boolean {
    if (this.#alike?.from === before.policy && this.#alike.to === now.policy) return true;
    const isAlone = aloneConcerned(before, now);
    if (isAlone) this.#alike = { from: before.policy, to: now.policy };
    return isAlone;
  }
}

/** What a later change of policy looks up. */
export function seatsOf(desired: Desired, bridges: readonly BridgePlan[]): Seats {
  const standing = new Map<string, Seat>();
  for (const [bridge, { ports }] of bridges.entries())
    for (const [at, { port, epoch }] of ports.entries()) standing.set(slotKey(port, epoch), { bridge, at });
  const seats = desired.ports.map((doc) => standing.get(slotKey(doc.port, doc.epoch)));
  const members = new Map<string, number[] | null>();
  for (const [i, { group, role }] of desired.ports.entries()) {
    const list = members.get(group);
    if (seats[i] === undefined) {
      if (role !== 'retired') members.set(group, null);
    } else if (list === undefined) members.set(group, [i]);
    else list?.push(i);
  }
  return { seats, members };
}

const sameFacts = (a: LocalFacts, b: LocalFacts): boolean =>
  a === b ||
  (a.host === b.host &&
    a.round === b.round &&
    a.interfaces === b.interfaces &&
    a.slots === b.slots &&
    a.activations === b.activations &&
    a.handedOver === b.handedOver &&
    a.teaming === b.teaming &&
    a.multicast === b.multicast &&
    a.pnics === b.pnics &&
    a.unconfirmed === b.unconfirmed);

/** Everything but the policies of groups and ports. */
const sameFrame = (a: Desired, b: Desired): boolean =>
  sameItems(a.switches, b.switches) && (a.host === b.host || equalJson(a.host.switches, b.host.switches));

function changedGroups(a: readonly GroupDocument[], b: readonly GroupDocument[]): readonly string[] | null {
  if (a.length !== b.length) return null;
  const changed: string[] = [];
  for (const [i, group] of b.entries()) {
    if (group === a[i]) continue;
    const before = a[i];
    if (group.group !== before?.group || !opensAlike(group, before)) return null;
    changed.push(group.group);
  }
  return changed;
}

/** When ports of the group are open is no policy. */
const opensAlike = (a: GroupDocument, b: GroupDocument): boolean =>
  a.partitionPolicy === b.partitionPolicy && a.startOffline === b.startOffline;

/** Indexes of the documents that say something else of policy; null: one says something else of more than that. */
function changedPorts(a: readonly PortDocument[], b: readonly PortDocument[]): readonly number[] | null {
  if (a.length !== b.length) return null;
  const changed: number[] = [];
  for (const [i, port] of b.entries()) {
    const before = a[i];
    if (port === before) continue;
    if (before === undefined || !equalJson(butPolicy(port), butPolicy(before))) return null;
    changed.push(i);
  }
  return changed;
}

const butPolicy = (doc: PortDocument): object => ({ ...doc, override: 0, revision: 0, minRevision: 0 });

/** Nothing else in its plan depends on its policy, and no other port does, as on its MACs, the sets it names and the tables of its copies. */
const aloneConcerned = (before: PortPlan, now: PolicyPlan): boolean =>
  before.stages === now.stages &&
  sameItems(setsIn(before.policy.filter), setsIn(now.policy.filter)) &&
  equalJson(before.ranges, now.ranges) &&
  equalJson(before.secondary, now.secondary) &&
  equalJson(before.sampled, now.sampled) &&
  equalJson(before.ignored, now.ignored) &&
  equalJson(before.policy.macs, now.policy.macs) &&
  equalJson(before.policy.teaming, now.policy.teaming);
