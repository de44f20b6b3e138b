import { equalJson } from '#kernel';
import { type Policy } from '#domain';
import { POLICY_FIELDS } from '#domain/on-host';
import { type BridgeState, type OwnedPieces, type Piece } from '#openflow';
import { owned } from './pipeline/owned.js';
import { sameButPolicy, type BridgePlan, type PortPlan } from './resolve/plan.js';
import { ResolveMemo } from './resolve/remember.js';
import { slotKey } from './slots.js';
import { type Compiled, type CompiledBinding } from './types.js';

interface Held<Plan> {
  plan: Plan;
  readonly mtu: number;
  readonly round: number;
  readonly pieces: OwnedPieces;
  /** Fields of the policy that each feature looked at, a bit each. */
  readonly read: readonly number[];
  asked: boolean;
}

interface HeldPart {
  readonly of: string;
  readonly round: number;
  readonly pieces: OwnedPieces;
  asked: boolean;
}

/** What one bridge came to. */
export interface CompiledBridge {
  readonly plan: BridgePlan;
  readonly state: BridgeState;
  /** Keys of the pieces that belong to parts of features. */
  readonly parts: readonly string[];
  /** By slot. */
  readonly bindings: readonly CompiledBinding[];
  /** Indexes of the bindings, by port and epoch. */
  readonly at: () => ReadonlyMap<string, number>;
}

interface Last {
  readonly plans: readonly BridgePlan[];
  readonly bridges: readonly CompiledBridge[];
  readonly compiled: Compiled;
}

/** What a feature writes for a plan, by the feature's place. */
type Make<Plan> = (plan: Plan, feature: number) => Piece;

/**
 * What the features wrote the last time. A port's flows depend on its plan and on what is the same for the whole
 * bridge, so they stand as long as both do; of a policy that changed, those features write anew that looked at a field
 * that differs. What they wrote for the bridge depends on all its ports in the same way. Pieces that are the same
 * objects are told to be the same at once by whoever compares them. One for each host.
 */
export class CompileMemo {
  readonly resolved = new ResolveMemo();
  #last: Last | null = null;
  readonly #parts = new Map<string, Map<string, HeldPart>>();
  readonly #ports = new Map<string, Map<string, Held<PortPlan>>>();
  readonly #bridges = new Map<string, Held<BridgePlan>>();
  readonly #bindings = new WeakMap<PortPlan, { readonly under: string; readonly binding: CompiledBinding }>();

  port(
    bridge: BridgePlan,
    plan: PortPlan,
    round: number,
    features: number,
    make: Make<PortPlan>,
  ): OwnedPieces {
    let ports = this.#ports.get(bridge.name);
    if (ports === undefined) this.#ports.set(bridge.name, (ports = new Map<string, Held<PortPlan>>()));
    const key = slotKey(plan.port, plan.epoch);
    const held = ports.get(key);
    const stands = held !== undefined && held.mtu === bridge.mtu && held.round === round;
    const changed = stands ? changedIn(held.plan, plan) : ALL;
    if (stands && !concerns(held.read, changed)) {
      // One that says the same is known by sight the next time.
      held.plan = plan;
      held.asked = true;
      return held.pieces;
    }
    const watch = new Watch();
    const seen = watch.over(plan);
    const made = remade(held, changed, features, watch, (i) => make(seen, i));
    const { pieces, read } = made;
    ports.set(key, { plan, mtu: bridge.mtu, round, pieces, read, asked: true });
    return pieces;
  }

  bridge(plan: BridgePlan, round: number, features: number, make: Make<BridgePlan>): OwnedPieces {
    const held = this.#bridges.get(plan.name);
    const stands = held !== undefined && held.round === round && sameBridge(held.plan, plan);
    const changed = stands ? changedInPorts(held.plan.ports, plan.ports) : ALL;
    const watch = new Watch();
    const watched = { ...plan, ports: [] as readonly PortPlan[] };
    const made = remade(held, changed, features, watch, (i) => {
      if (watched.ports.length === 0) watched.ports = plan.ports.map((port) => watch.over(port));
      return make(watched, i);
    });
    const { pieces, read } = made;
    this.#bridges.set(plan.name, { plan, mtu: plan.mtu, round, pieces, read, asked: true });
    return pieces;
  }

  /** Of the same text, as long as it is asked for each time. */
  part(bridge: BridgePlan, key: string, of: string, round: number, make: () => OwnedPieces): OwnedPieces {
    let parts = this.#parts.get(bridge.name);
    if (parts === undefined) this.#parts.set(bridge.name, (parts = new Map<string, HeldPart>()));
    const held = parts.get(key);
    if (held?.of === of && held.round === round) {
      held.asked = true;
      return held.pieces;
    }
    const pieces = make();
    parts.set(key, { of, round, pieces, asked: true });
    return pieces;
  }

  /** What was compiled last; null: nothing yet. */
  get last(): Last | null {
    return this.#last;
  }

  /** `part`: only some of it was looked at, and what was not asked for stands as well. */
  remember(last: Last, part: boolean): void {
    this.#last = last;
    if (!part) this.#sweep();
  }

  /** Of the same plan, under whatever else decides about it. */
  binding(plan: PortPlan, under: string, make: () => CompiledBinding): CompiledBinding {
    const held = this.#bindings.get(plan);
    if (held?.under === under) return held.binding;
    const binding = make();
    this.#bindings.set(plan, { under, binding });
    return binding;
  }

  /** Forgets what was not asked for since the last sweep, bridges that are gone too. */
  #sweep(): void {
    for (const [name, ports] of this.#ports) {
      forget(ports);
      if (ports.size === 0) this.#ports.delete(name);
    }
    for (const [name, parts] of this.#parts) {
      forget(parts);
      if (parts.size === 0) this.#parts.delete(name);
    }
    forget(this.#bridges);
    this.resolved.keep(this.#bridges);
  }
}

function forget(all: Map<string, { asked: boolean }>): void {
  for (const [key, held] of all) {
    if (held.asked) held.asked = false;
    else all.delete(key);
  }
}

/** Of what is held, that which looked at nothing that changed; the same list where that is all of it. */
function remade(
  before: Pick<Held<unknown>, 'pieces' | 'read'> | undefined,
  changed: number,
  features: number,
  watch: Watch,
  make: (feature: number) => Piece,
): Pick<Held<unknown>, 'pieces' | 'read'> {
  const held = changed === ALL ? undefined : before;
  if (held !== undefined && !concerns(held.read, changed)) return held;
  const pieces: Piece[] = [];
  const read: number[] = [];
  for (let i = 0; i < features; i += 1) {
    const piece = held?.pieces.list[i];
    const looked = held?.read[i] ?? ALL;
    if (piece !== undefined && (looked & changed) === 0) {
      pieces.push(piece);
      read.push(looked);
      continue;
    }
    watch.read = 0;
    pieces.push(make(i));
    read.push(watch.read);
  }
  return { pieces: owned(pieces), read };
}

/** Whether any of these looked at what changed. */
function concerns(read: readonly number[], changed: number): boolean {
  if (changed === ALL) return true;
  for (const fields of read) if ((fields & changed) !== 0) return true;
  return false;
}

const ALL = -1;
/** Beside the fields of the policy: the out-tables that come of them. */
const STAGES = 1 << 30;

/** Fields of the policy that differ, a bit each, in the order of the fields; ALL: something else does. */
function changedIn(a: PortPlan, b: PortPlan): number {
  if (a === b) return 0;
  if (!sameButPolicy(a, b)) return ALL;
  const stages = a.stages === b.stages ? 0 : STAGES;
  return a.policy === b.policy ? stages : stages | changedFields(a.policy, b.policy);
}

/** Ports of one group have their policy in common, and so what changed in it. */
const lastChanges = new WeakMap<Policy, { readonly from: Policy; readonly changed: number }>();

function changedFields(from: Policy, to: Policy): number {
  const last = lastChanges.get(to);
  if (last?.from === from) return last.changed;
  let changed = 0;
  for (const [i, field] of POLICY_FIELDS.entries()) if (!same(from[field], to[field])) changed |= 1 << i;
  lastChanges.set(to, { from, changed });
  return changed;
}

function changedInPorts(a: readonly PortPlan[], b: readonly PortPlan[]): number {
  if (a.length !== b.length) return ALL;
  let changed = 0;
  for (const [i, plan] of b.entries()) {
    const before = a[i];
    if (before === plan) continue;
    changed |= before?.port === plan.port && before.epoch === plan.epoch ? changedIn(before, plan) : ALL;
    if (changed === ALL) return ALL;
  }
  return changed;
}

/** Everything but its ports; of those that are closed, nothing is written for the bridge. */
const sameBridge = (a: BridgePlan, b: BridgePlan): boolean =>
  a.switch === b.switch &&
  a.mtu === b.mtu &&
  same(a.devices, b.devices) &&
  same(a.lags, b.lags) &&
  same(a.uplinks, b.uplinks) &&
  same(a.teams, b.teams) &&
  same(a.heard, b.heard) &&
  same(a.privateVlans, b.privateVlans) &&
  same(a.mirrors, b.mirrors) &&
  same(a.mirrorVlans, b.mirrorVlans) &&
  same(a.classLimits, b.classLimits);

/** Notes which fields of a policy are looked at: no feature has to say so itself, and be wrong. */
class Watch {
  read = 0;
  readonly #handler: ProxyHandler<Policy> = {
    get: (policy, field) => {
      const i = POLICY_FIELDS.indexOf(field as keyof Policy);
      this.read |= i < 0 ? ALL : 1 << i;
      return policy[field as keyof Policy];
    },
    ownKeys: (policy) => {
      this.read = ALL;
      return Reflect.ownKeys(policy);
    },
    has: (policy, field) => {
      this.read = ALL;
      return field in policy;
    },
  };

  over(plan: PortPlan): PortPlan {
    const look = (): void => {
      this.read |= STAGES;
    };
    return {
      ...plan,
      policy: new Proxy(plan.policy, this.#handler),
      get stages() {
        look();
        return plan.stages;
      },
    };
  }
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && equalJson(a, b));
