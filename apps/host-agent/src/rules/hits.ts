import { type Telemetry } from '#contracts';
import { TABLES, type Compiled } from '#compiler';
import { MEANING_MASK, type FlowStats } from '#openflow';
import { Guard } from '../guard.js';
import { type AgentService, type MakeService, type ServiceHost } from '../service.js';
import { FlowCounts } from './flow-counts.js';
import { Descent, listsOf, OBJECT, type List, type Sums } from './lists.js';

export const countsHits: MakeService = (host) => new HitsService(host);

/** Tellings between two readings: flows are many, and their counts half a second late anyhow. */
const EVERY = 5;
const RULES: ReadonlySet<number> = new Set([
  ...[TABLES.RULES_IN_0, TABLES.RULES_IN_1, TABLES.RULES_IN_2, TABLES.RULES_IN_3],
  ...[TABLES.RULES_OUT_0, TABLES.RULES_OUT_1, TABLES.RULES_OUT_2, TABLES.RULES_OUT_3],
]);

/** What is counted now: the lists of one plan, each with its sums. */
interface Counted {
  readonly plan: Plan;
  readonly lists: readonly List[];
  readonly sums: readonly Sums[];
}

/** A plan, and when it was carried out: ms, monotonic. */
interface Plan {
  readonly compiled: Compiled;
  readonly since: number;
}

interface Reading {
  readonly flows: readonly FlowStats[];
  /** ms, monotonic: when it was asked for. */
  readonly at: number;
}

/**
 * Frames that each rule took, of all ports that have its list here, since this agent began to look. Flows come and go
 * with what is compiled, and their counts with them: what they grew by is added up, so that a sum never falls.
 */
class HitsService implements AgentService {
  readonly #descent = new Descent();
  readonly #counts = new Map<string, FlowCounts>();
  #plan: Plan | null = null;
  #counted: Counted | null = null;
  #turn = 0;
  #reading = false;
  readonly #guard: Guard;

  constructor(private readonly host: ServiceHost) {
    this.#guard = new Guard(host.log);
  }

  carriedOut(compiled: Compiled): void {
    this.#plan = { compiled, since: this.host.clock.monotonic() };
  }

  /** As read last; what is read now is told the next time. */
  telemetry(): Partial<Telemetry> {
    const counted = this.#current();
    if (counted === null || counted.lists.length === 0) return {};
    if (this.#turn++ % EVERY === 0 && !this.#reading) this.#look(counted);
    const switchOf = new Map(counted.plan.compiled.state.bridges.map((b) => [b.name, b.switch]));
    return {
      rules: counted.lists.map(({ bridge, ports }, i) => ({
        switch: switchOf.get(bridge) ?? bridge,
        ports,
        hits: Object.fromEntries(counted.sums[i] ?? []),
      })),
    };
  }

  /** Nobody waits for telemetry: whoever waits for a plan does not wait for its lists to be looked at. */
  #current(): Counted | null {
    const plan = this.#plan;
    if (plan === null || this.#counted?.plan === plan) return this.#counted;
    const lists = listsOf(plan.compiled);
    this.#counted = { plan, lists, sums: this.#descent.follow(lists) };
    return this.#counted;
  }

  #look(counted: Counted): void {
    this.#reading = true;
    this.#read(counted)
      .catch((cause: unknown) => this.#guard.tell('count hits of rules', cause))
      .finally(() => (this.#reading = false));
  }

  async #read(counted: Counted): Promise<void> {
    for (const bridge of new Set(counted.lists.map((list) => list.bridge))) {
      const at = this.host.clock.monotonic();
      const flows = await this.#flows(bridge, counted);
      // A plan was carried out meanwhile: these are flows of that one, or of both.
      if (this.#plan !== counted.plan) break;
      if (flows !== null) this.#add(bridge, { flows, at }, counted);
    }
  }

  /** Null: the switch is away, which is told elsewhere. */
  async #flows(bridge: string, { plan }: Counted): Promise<readonly FlowStats[] | null> {
    const ruled = plan.compiled.bindings.find((b) => b.bridge === bridge && b.rules.length > 0);
    const cookie = ruled?.rules[0]?.cookie ?? 0n;
    const mask = MEANING_MASK & ~OBJECT;
    const all = await this.host.driver.flowStats(bridge, cookie & mask, mask).catch(() => null);
    return all?.filter(({ flow }) => RULES.has(flow.table)) ?? null;
  }

  #add(bridge: string, { flows, at }: Reading, { lists, sums, plan }: Counted): void {
    let counts = this.#counts.get(bridge);
    if (counts === undefined) this.#counts.set(bridge, (counts = new FlowCounts()));
    const more = counts.take(flows, at, plan.since);
    for (const [i, list] of lists.entries()) {
      if (list.bridge !== bridge) continue;
      const of = sums[i];
      for (const [object, name] of list.rules) {
        const grown = more.get(object);
        if (grown !== undefined) of?.set(name, (of.get(name) ?? 0) + grown);
      }
    }
  }
}
