import { systemClock, type HostName } from '#kernel';
import { type Fact, type PolicyPatch, type SwitchFeatures } from '#domain';
import { type FactBatch, type Report } from '#contracts';
import { OvsDriver } from '#ovs';
import { type Snapshot } from '#protocol';
import { until, type LabHost } from '../../../test/lab/net.js';
import { Agent } from './agent.js';
import { BRIDGE, view, type BindingSpec } from './agent.fixture.js';
import { FactJournal } from './facts/journal.js';
import { NoHypervisor } from './hypervisor/hypervisor.js';
import { type MakeService } from './service.js';
import { LocalMemory } from './state/local-memory.js';
import { emptyMemory } from './state/memory.js';

export interface LabScene extends Partial<SwitchFeatures> {
  readonly mtu?: number;
  /** Of the group `web`. */
  readonly policy?: PolicyPatch;
  /** The agent's name among hosts; absent: `h1`. */
  readonly name?: string;
}

/** An agent without a centre, on a host of the lab: switch `lan` on all of its uplinks. */
export class LabAgent {
  readonly bridge = BRIDGE;
  packetIns = 0;
  exceptions: Report['exceptions'] = [];
  agent!: Agent;
  #realised = 0;
  #revision = 0;

  private constructor(
    private readonly host: Pick<LabHost, 'rundir' | 'uplinks'>,
    readonly driver: OvsDriver,
    private readonly journal: FactJournal,
    /** As the log is told. */
    readonly facts: readonly Fact[],
  ) {}

  static async start(
    host: Pick<LabHost, 'rundir' | 'uplinks'>,
    services: readonly MakeService[],
    name = 'h1',
  ): Promise<LabAgent> {
    const driver = new OvsDriver({ rundir: host.rundir, datapathType: 'netdev' });
    const kept = () => Promise.resolve();
    const facts: Fact[] = [];
    const taken = (batch: FactBatch) => {
      facts.push(...batch.facts.map(({ fact }) => fact));
      return Promise.resolve(true);
    };
    const clock = systemClock;
    const journal = new FactJournal(name as HostName, 'boot', taken, kept, clock.now, clock.after, null);
    const lab = new LabAgent(host, driver, journal, facts);
    let ids = 0;
    lab.agent = new Agent({
      host: name as HostName,
      boot: 'boot',
      driver,
      hypervisor: new NoHypervisor(),
      journal,
      memory: new LocalMemory('boot', emptyMemory('boot'), kept),
      clock,
      ids: { next: () => (ids += 1).toString(16).padStart(8, '0') },
      log: { info: () => undefined, warn: () => undefined },
      report: (report) => {
        lab.#realised = report.realised;
        lab.exceptions = report.exceptions;
      },
      services,
    });
    driver.watch((event) => (lab.packetIns += event.kind === 'packet-in' ? 1 : 0));
    await lab.agent.start(null);
    return lab;
  }

  async become(bindings: readonly BindingSpec[], scene: LabScene = {}): Promise<void> {
    const revision = (this.#revision += 1);
    this.agent.documents(this.#view(revision, bindings, scene));
    await until(`revision ${revision} to be realised`, () =>
      Promise.resolve(this.#realised >= revision ? true : undefined),
    );
  }

  async close(): Promise<void> {
    await this.agent.close();
    this.journal.close();
  }

  #view(
    revision: number,
    bindings: readonly BindingSpec[],
    { policy, name = 'h1', ...rest }: LabScene,
  ): Snapshot {
    const base = view(revision, bindings);
    const uplinks = Object.fromEntries(this.host.uplinks.map((device, n) => [`uplink${n + 1}`, device]));
    const documents = [...base.documents].map(([key, doc]) => {
      if (doc.type === 'host') return [key, { ...doc, host: name, switches: [{ switch: 'lan', uplinks }] }];
      if (doc.type === 'port') return [key, { ...doc, host: name }];
      if (doc.type === 'switch') return [key, { ...doc, uplinks: Object.keys(uplinks), ...rest }];
      return [key, doc.type === 'group' && policy !== undefined ? { ...doc, policy } : doc];
    });
    return { ...base, host: name as HostName, documents: new Map(documents as never) };
  }
}
