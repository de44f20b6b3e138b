import { connectionsLeft, TABLES, type Compiled, type LocalFacts } from '#compiler';
import {
  diff,
  diffSince,
  isLearned,
  order,
  type BridgePlan,
  type DataplaneState,
  type DiffOptions,
  type Flow,
  type Observation,
  type ObservedInterface,
  type Plan,
  type PortBaseline,
  type Step,
} from '#openflow';
import { learnedRow } from '../facts/learned.js';

export interface Planned {
  readonly steps: readonly Step[];
  readonly exceptions: Plan['exceptions'];
}

/**
 * The steps from what stands to what is compiled. Learned rows are facts: one is removed only when what it says is
 * known and compiled in (in the same bundle as its trigger, or it would come back), or when its slot is nobody's.
 * `forget`: zones whose connections go.
 */
export function planOf(
  compiled: Compiled,
  facts: Omit<LocalFacts, 'interfaces'>,
  have: Observation,
  { forget = [], ...options }: Omit<DiffOptions, 'retire'> & { readonly forget?: readonly number[] } = {},
): Planned {
  const slots = new Map(Object.entries(facts.slots).map(([key, slot]) => [slot, key]));
  const opened = new Set(facts.activations.map((b) => `${b.port}@${b.epoch}`));
  const turned = new Set(facts.handedOver.map((b) => `${b.port}@${b.epoch}`));
  // Each kind on its own: an opened binding may be turned away later, and that row is news then.
  const done = (flow: Flow): boolean => {
    if (!isLearned(flow.cookie)) return false;
    // What the switch learned for itself (addresses, say) ages by itself.
    if (flow.table !== TABLES.ACTIVITY) return false;
    const row = learnedRow(flow);
    const key = row === null ? undefined : slots.get(row.slot);
    return row === null || key === undefined || (row.active ? opened : turned).has(key);
  };
  const retire = have.bridges.map((b) => ({
    bridge: b.name,
    flows: b.flows.flatMap(({ flow }) => (done(flow) ? [flow] : [])),
  }));
  return ordered(diff(compiled.state, have, { ...options, retire }), forget);
}

/** The same where all that stands is what `since` wants, learned rows not among it; null: only the whole can tell. */
export function planSince(
  compiled: Compiled,
  since: DataplaneState,
  interfaces: readonly ObservedInterface[],
  baseline?: PortBaseline,
): Planned | null {
  const plan = diffSince(compiled.state, since, interfaces, baseline);
  return plan === null ? null : ordered(plan, []);
}

/** Zones are the host's: any bridge can have them flushed. */
const ordered = (plan: Plan, forget: readonly number[]): Planned => ({
  steps: order(plan, {
    purge: plan.bridges.filter(arms).map((b) => b.bridge),
    flush: plan.bridges.map((b, i) => ({
      bridge: b.bridge,
      connections: [...connectionsLeft(b), ...(i === 0 ? forget.map((zone) => ({ zone })) : [])],
    })),
  }),
  exceptions: plan.exceptions,
});

/** Whether the plan sets a trigger up: it fires on a miss of the datapath's cache only, and must at the first frame. */
function arms(plan: BridgePlan): boolean {
  const fresh = [...plan.flows.add, ...plan.flows.change.map((c) => c.want)];
  return fresh.some((flow) => flow.actions.some((a) => a.kind === 'learn' && a.table === TABLES.ACTIVITY));
}
