import { equalJson } from '#kernel';
import { type Policy } from '#domain';
import { POLICY_FIELDS } from '#domain/on-host';
import { type Collected } from './pipeline/emitter.js';
import { type BridgePlan, type PortPlan } from './resolve/plan.js';

interface Held {
  readonly plan: PortPlan;
  readonly mtu: number;
  readonly round: number;
  /** Of each feature. */
  readonly parts: readonly Part[];
  asked: boolean;
}

interface Part {
  readonly collected: Collected;
  /** Fields of the policy that it looked at, a bit each. */
  readonly read: number;
}

/** What a feature writes for a port, by the feature's place. */
type Make = (plan: PortPlan, feature: number) => Collected;

/**
 * What the features wrote for each port the last time. A port's flows depend on its plan and on what is the same for
 * the whole bridge, so they stand as long as both do; of a policy that changed, those features write anew that looked
 * at a field that differs. Flows that are the same objects are told to be the same at once by whoever compares them.
 * One for each host.
 */
export class CompileMemo {
  private readonly bridges = new Map<string, Map<string, Held>>();

  of(bridge: BridgePlan, plan: PortPlan, round: number, features: number, make: Make): readonly Collected[] {
    const ports = this.bridges.get(bridge.name) ?? new Map<string, Held>();
    this.bridges.set(bridge.name, ports);
    const key = `${plan.port}@${plan.epoch}`;
    const held = ports.get(key);
    const { mtu } = bridge;
    const stands =
      held !== undefined && held.mtu === mtu && held.round === round && samePlace(held.plan, plan);
    const changed = stands ? changedFields(held.plan, plan) : ALL;
    if (stands && changed === 0) {
      held.asked = true;
      return held.parts.map((part) => part.collected);
    }
    const watch = new Watch(plan);
    const parts = Array.from({ length: features }, (_, i): Part => {
      const before = stands ? held.parts[i] : undefined;
      if (before !== undefined && (before.read & changed) === 0) return before;
      watch.read = 0;
      const collected = make(watch.plan, i);
      return { collected, read: watch.read };
    });
    ports.set(key, { plan, mtu, round, parts, asked: true });
    return parts.map((part) => part.collected);
  }

  /** Forgets ports that were not asked for since the last sweep. */
  sweep(bridge: BridgePlan): void {
    const ports = this.bridges.get(bridge.name);
    for (const [key, held] of ports ?? []) {
      if (held.asked) held.asked = false;
      else ports?.delete(key);
    }
  }
}

/** Everything but the policy. */
function samePlace(a: PortPlan, b: PortPlan): boolean {
  return (
    a.slot === b.slot &&
    a.life === b.life &&
    a.role === b.role &&
    a.mac === b.mac &&
    a.ofport === b.ofport &&
    a.ifaceName === b.ifaceName &&
    a.token === b.token &&
    same(a.team, b.team) &&
    same(a.ranges, b.ranges) &&
    same(a.ignored, b.ignored)
  );
}

const ALL = -1;

/** A bit each, in the order of the fields. */
function changedFields(a: PortPlan, b: PortPlan): number {
  if (a.policy === b.policy) return 0;
  let changed = 0;
  for (const [i, field] of POLICY_FIELDS.entries())
    if (!same(a.policy[field], b.policy[field])) changed |= 1 << i;
  return changed;
}

/** A plan that notes which fields of its policy are looked at: no feature has to say so itself, and be wrong. */
class Watch {
  read = 0;
  readonly plan: PortPlan;

  constructor(plan: PortPlan) {
    const seen = {} as Policy;
    for (const [i, field] of POLICY_FIELDS.entries()) {
      const get = (): unknown => {
        this.read |= 1 << i;
        return plan.policy[field];
      };
      Object.defineProperty(seen, field, { get, enumerable: true });
    }
    this.plan = { ...plan, policy: seen };
  }
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && equalJson(a, b));
