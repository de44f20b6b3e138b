import { randomUUID } from 'node:crypto';
import { systemClock, type HostName } from '#kernel';
import { type Fact } from '#domain';
import { type Report } from '#contracts';
import { type Step } from '#openflow';
import { OvsDriver } from '#ovs';
import { type Snapshot } from '#protocol';
import { view, type BindingSpec, type ViewOptions } from '../../apps/host-agent/src/agent.fixture.js';
import { Agent } from '../../apps/host-agent/src/agent.js';
import { FactJournal } from '../../apps/host-agent/src/facts/journal.js';
import { NoHypervisor } from '../../apps/host-agent/src/hypervisor/hypervisor.js';
import { type MakeService } from '../../apps/host-agent/src/service.js';
import { LocalMemory } from '../../apps/host-agent/src/state/local-memory.js';
import { emptyMemory, type AgentMemory } from '../../apps/host-agent/src/state/memory.js';
import { until, type LabHost } from './net.js';

const HOST = 'h1' as HostName;

/** Documents of one host: switch `lan` on `up0`, group `web`, and its bindings, of guests with the labs' numbers. */
export const documentsOf = (
  revision: number,
  bindings: readonly BindingSpec[],
  options: Omit<ViewOptions, 'device'> = {},
): Snapshot => view(revision, bindings, { ...options, device: 'up0' });

type Told = Pick<Report, 'lineage' | 'realised' | 'received' | 'exceptions'>;

/** The agent of a host with a real switch, in this process and without a centre: documents in, facts out. */
export class LabAgent {
  readonly facts: Fact[] = [];
  readonly warnings: string[] = [];
  /** Steps carried out, with the time when each was over. */
  readonly steps: { readonly step: Step; readonly at: number }[] = [];
  report: Told | null = null;
  #agent: Agent | null = null;
  #journal: FactJournal | null = null;
  #disk: AgentMemory = emptyMemory('boot');
  #driver: OvsDriver | null = null;

  constructor(
    readonly host: LabHost,
    private readonly services: readonly MakeService[] = [],
  ) {}

  /** A run of the agent, with what an earlier one left on disk. */
  async start(held: Snapshot | null = null): Promise<void> {
    // What an earlier run said is not this one's.
    this.report = null;
    const driver = new OvsDriver({ rundir: this.host.rundir, datapathType: 'netdev' });
    const apply = driver.apply.bind(driver);
    driver.apply = async (step) => {
      await apply(step);
      this.steps.push({ step, at: performance.now() });
    };
    this.#driver = driver;
    const log = (fields: object, message: string): void =>
      void this.warnings.push(`${message} ${JSON.stringify(fields)}`);
    this.#journal = new FactJournal(
      HOST,
      'boot',
      (batch) => {
        this.facts.push(...batch.facts.map((f) => f.fact));
        return Promise.resolve(true);
      },
      () => Promise.resolve(),
      () => Date.now(),
      (ms, fn) => systemClock.after(ms, fn),
      null,
    );
    this.#agent = new Agent({
      host: HOST,
      boot: 'boot',
      driver,
      hypervisor: new NoHypervisor(),
      journal: this.#journal,
      memory: new LocalMemory('boot', structuredClone(this.#disk), (m) => {
        this.#disk = structuredClone(m);
        return Promise.resolve();
      }),
      clock: systemClock,
      ids: { next: () => randomUUID() },
      log: { info: () => undefined, warn: log },
      report: (report) => (this.report = report),
      services: this.services,
    });
    await this.#agent.start(held);
  }

  get agent(): Agent {
    if (this.#agent === null) throw new Error('the agent is not started');
    return this.#agent;
  }

  get driver(): OvsDriver {
    if (this.#driver === null) throw new Error('the agent is not started');
    return this.#driver;
  }

  /** Documents come, and are carried out. */
  async become(documents: Snapshot): Promise<void> {
    this.agent.documents(documents);
    await until(`revision ${documents.received}`, () =>
      Promise.resolve(this.report?.realised === documents.received ? true : undefined),
    );
  }

  async stop(): Promise<void> {
    await this.#agent?.close();
    this.#journal?.close();
    this.#agent = null;
  }

  of<T extends Fact['type']>(type: T): Extract<Fact, { type: T }>[] {
    return this.facts.filter((f): f is Extract<Fact, { type: T }> => f.type === type);
  }

  /** Fields that drifted so far. */
  get drifted(): readonly string[] {
    return this.of('Drift').flatMap((f) => f.differences.map((d) => d.field));
  }
}
