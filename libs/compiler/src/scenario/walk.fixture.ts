import { diff, isOurs, order, tableDigest, type Step } from '#openflow';
import { type SwitchOptions } from '#simulated-switch';
import { compile } from '../compile.js';
import { factsOf, mac } from '../documents.fixture.js';
import { CompileMemo } from '../memo.js';
import { connectionsLeft } from '../features/state/forget.js';
import { zoneOfSlot } from '../features/state/zones.js';
import { REG } from '../pipeline/registers.js';
import { TABLES } from '../pipeline/tables.js';
import { type Compiled, type Desired, type LocalFacts } from '../types.js';
import { ManualClock, TestHost } from './world.fixture.js';

/** What an agent does at most before it comes to rest: a device that is plugged gets its number only then. */
const MOST_PASSES = 4;

export interface WalkOptions {
  /** After each change of the switch. */
  readonly each?: () => void;
  /** Carries the steps out otherwise than they were meant. */
  readonly amiss?: (steps: Step[]) => Step[];
}

/** A host whose changes are looked at step by step, meters one by one. Its ports are plugged whatever is said of them. */
export class WalkingHost extends TestHost {
  private readonly memo = new CompileMemo();

  constructor(
    private readonly ports: number,
    options: SwitchOptions = {},
  ) {
    super('h1', new ManualClock(), options);
  }

  async walk(desired: Desired, { each, amiss = (steps) => steps }: WalkOptions = {}): Promise<Compiled> {
    await this.driver.start();
    for (let pass = 0; pass < MOST_PASSES; pass += 1) {
      this.compiled = compile(desired, this.facts(desired), this.memo);
      const plan = diff(this.compiled.state, await this.driver.read());
      const flush = plan.bridges.map((b) => ({ bridge: b.bridge, connections: connectionsLeft(b) }));
      const steps = amiss(order(plan, { flush }).flatMap(oneByOne));
      for (const step of steps) {
        await this.driver.apply(step);
        each?.();
      }
      const plugged = this.plugAll();
      if (steps.length === 0 && !plugged) return this.compiled;
    }
    throw new Error('the switch does not become what is wanted');
  }

  private facts(desired: Desired): LocalFacts {
    return { ...factsOf(desired), interfaces: this.switch.interfaces() };
  }

  /** What must stand by the documents alone: nothing is remembered, nothing was there before. */
  wanted(desired: Desired): string {
    return tableDigest(compile(desired, this.facts(desired)).state.bridges);
  }

  /** Of what stands, and is ours. */
  async digest(): Promise<string> {
    const { bridges } = await this.driver.read();
    return tableDigest(
      bridges.map((b) => ({
        ...b,
        flows: b.flows.flatMap(({ flow }) => (isOurs(flow.cookie) ? [flow] : [])),
      })),
    );
  }

  /** Zones with connections that no list of rules asks for. */
  litter(): number[] {
    const stateful = this.compiled.state.bridges.flatMap((b) =>
      b.flows.filter(({ table }) => table === TABLES.STATE_IN),
    );
    const lists = new Set(stateful.map(({ match }) => match[REG.rules]?.value));
    const slots = this.compiled.state.bridges
      .flatMap((b) => b.flows.filter(({ table }) => table === TABLES.FILTER_IN))
      .filter(({ actions }) => actions.some((a) => a.kind === 'set-field' && lists.has(a.value)))
      .map(({ match }) => zoneOfSlot(Number(match[REG.from]?.value ?? 0n)));
    const zones = new Set(this.switch.conntrack.all().map(({ zone }) => zone));
    return [...zones].filter((zone) => !slots.includes(zone));
  }

  private plugAll(): boolean {
    const [bridge] = this.switch.bridges.keys();
    if (bridge === undefined || this.switch.interfaces().some((i) => i.name === 'tap1')) return false;
    for (let n = 1; n <= this.ports; n += 1) {
      const externalIds = { 'iface-id': `if-${n}`, 'attached-mac': mac(n) };
      this.switch.addInterface({ bridge, name: `tap${n}`, externalIds });
    }
    return true;
  }

  /** What leaves when this comes, long after anything else did. */
  leaves(device: string, frame: Uint8Array): string[] {
    this.forget();
    this.clock.advance(1_000_000);
    this.switch.inject(device, frame);
    return [...this.received].flatMap(([to, frames]) =>
      frames.map((f) => `${to} ${Buffer.from(f).toString('hex')}`),
    );
  }
}

/** No two of a bridge's meters change in one moment. */
const oneByOne = (step: Step): Step[] =>
  step.kind === 'meters' ? step.mods.map((mod) => ({ ...step, mods: [mod] })) : [step];
