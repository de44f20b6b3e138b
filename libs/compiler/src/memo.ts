import { equalJson } from '#kernel';
import { POLICY_FIELDS } from '#domain';
import { type Collected } from './pipeline/emitter.js';
import { type BridgePlan, type PortPlan } from './resolve/plan.js';

interface Held {
  readonly plan: PortPlan;
  readonly mtu: number;
  readonly round: number;
  readonly parts: readonly Collected[];
  asked: boolean;
}

/**
 * What the features wrote for each port the last time. A port's flows depend on its plan and on what is the same for
 * the whole bridge, so they stand as long as both do; and flows that are the same objects are told to be the same at
 * once by whoever compares them. One for each host.
 */
export class CompileMemo {
  private readonly bridges = new Map<string, Map<string, Held>>();

  of(
    bridge: BridgePlan,
    plan: PortPlan,
    round: number,
    make: () => readonly Collected[],
  ): readonly Collected[] {
    const ports = this.bridges.get(bridge.name) ?? new Map<string, Held>();
    this.bridges.set(bridge.name, ports);
    const key = `${plan.port}@${plan.epoch}`;
    const held = ports.get(key);
    const { mtu } = bridge;
    if (held !== undefined && held.mtu === mtu && held.round === round && samePlan(held.plan, plan)) {
      held.asked = true;
      return held.parts;
    }
    const parts = make();
    ports.set(key, { plan, mtu, round, parts, asked: true });
    return parts;
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

function samePlan(a: PortPlan, b: PortPlan): boolean {
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
    same(a.ignored, b.ignored) &&
    POLICY_FIELDS.every((field) => same(a.policy[field], b.policy[field]))
  );
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && equalJson(a, b));
