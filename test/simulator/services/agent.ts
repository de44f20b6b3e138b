import { createHash } from 'node:crypto';
import { err, ok, unwrap, type HostName, type Result } from '#kernel';
import { LEASE, type Fact } from '#domain';
import {
  encodeBytes,
  parseLeaseAnswer,
  SUBJECTS,
  type DocumentKey,
  type LeaseAnswer,
  type LeaseQuestion,
  type Report,
} from '#contracts';
import { LEASE_ROW, leaseStands } from '#compiler';
import { sameMeaning } from '#openflow';
import { DocumentSync, fromDisk, Reporter, toDisk, type Received, type Snapshot } from '#protocol';
import { Agent } from '../../../apps/host-agent/src/agent.js';
import { FactJournal, parseJournal } from '../../../apps/host-agent/src/facts/journal.js';
import { standbys } from '../../../apps/host-agent/src/hypervisor/standbys.js';
import { leased } from '../../../apps/host-agent/src/lease/service.js';
import { LocalMemory } from '../../../apps/host-agent/src/state/local-memory.js';
import { emptyMemory, parseMemory } from '../../../apps/host-agent/src/state/memory.js';
import { LinkSource } from '../bus/docs-port.js';
import { Link, type LeaseAsked } from '../bus/link.js';
import { type Server } from '../bus/server.js';
import { DiskWriter } from '../host/disk.js';
import { MachineDriver } from '../host/driver.js';
import { MachineHypervisor, type HypervisorBugs, type Words } from '../host/hypervisor.js';
import { type Machine } from '../host/machine.js';
import { type Mover } from '../host/mover.js';
import { type Process } from '../engine/process.js';
import { verifier } from './signing.js';

const TELEMETRY_MS = 1_000;
const CHECKPOINT_MS = 30_000;
const RESEND_MS = 3_000;

/** Faults planted in an agent, for tests of the tests. */
export interface AgentBugs extends HypervisorBugs {
  readonly skipsEffective?: boolean;
  readonly alter?: (key: DocumentKey, received: Received, host: string) => Received;
  readonly fact?: (fact: Fact) => readonly Fact[];
  /** Batches do not say what stands before them. */
  readonly factsOvertake?: boolean;
  readonly view?: (view: Snapshot) => Snapshot;
  /** What it takes for the leader's answer; null: there is none. */
  readonly leaseAnswer?: (answer: LeaseAnswer | null) => LeaseAnswer | null;
  /** What is held on disk counts at once after a boot. */
  readonly believesDisk?: boolean;
}

/** One run of the host agent: the wiring of its `run`, over the simulated server, switch and disk. */
export class AgentService {
  readonly link: Link;
  agent: Agent | null = null;
  journal: FactJournal | null = null;
  memory: LocalMemory | null = null;
  sync: DocumentSync | null = null;
  reporter: Reporter | null = null;
  last: Snapshot | null = null;
  reported: Report | null = null;
  private standing: Pick<LeaseQuestion, 'lineage' | 'realised'> | null = null;

  constructor(
    readonly process: Process,
    private readonly server: Server,
    readonly machine: Machine,
    private readonly mover: Mover,
    private readonly hooks: {
      readonly fault: (where: string, cause: unknown) => void;
      readonly reported: (service: AgentService, report: Report) => void;
      readonly bugs: AgentBugs;
      readonly words: Words;
    },
  ) {
    this.link = new Link(process, server);
    if (machine.cutOffAt !== null) this.link.cut();
    this.run().catch((cause: unknown) => hooks.fault(process.name, cause));
  }

  get host(): HostName {
    return this.machine.name as HostName;
  }

  private async run(): Promise<void> {
    const { process, machine, link, host, hooks } = this;
    const { clock, ids } = process;
    const disk = new DiskWriter(machine.disk, process);
    const driver = new MachineDriver(machine, process, hooks.bugs.skipsEffective ?? false);
    await process.pause(process.random.between(1, 50), 'starts');
    const remembered = this.restored('memory', parseMemory);
    const memory = new LocalMemory(machine.boot, remembered ?? emptyMemory(machine.boot), (m) =>
      disk.write('memory', () => JSON.stringify(m)),
    );
    this.memory = memory;
    if (hooks.bugs.believesDisk === true) memory.confirm();
    const journal = new FactJournal(
      host,
      machine.boot,
      async (batch) => {
        const { after: _, ...bare } = batch;
        const bytes = encodeBytes(hooks.bugs.factsOvertake === true ? bare : batch);
        const publish = () => this.server.facts.publish(SUBJECTS.fact(host), bytes);
        return (await link.ask(`facts ${host}`, publish, RESEND_MS)).kind === 'answer';
      },
      (state) => {
        const text = JSON.stringify(state);
        return disk.write('journal', () => text);
      },
      () => clock.now(),
      (ms, fn) => clock.after(ms, fn),
      this.restored('journal', parseJournal),
    );
    this.journal = journal;
    const reporter = new Reporter({
      clock,
      from: Math.floor(clock.monotonic()),
      send: (report) => {
        this.reported = report;
        hooks.reported(this, report);
        link.publish('report', encodeBytes(report));
      },
    });
    this.reporter = reporter;
    const log = {
      info: (fields: object, message: string) => process.log('info', fields, message),
      warn: (fields: object, message: string) => process.log('warn', fields, message),
    };
    const agent = new Agent({
      host,
      boot: journal.boot,
      driver,
      hypervisor: new MachineHypervisor(machine, this.mover, process, hooks.words, hooks.bugs),
      journal: this.bugged(journal),
      memory,
      clock,
      ids,
      log,
      services: [standbys, leased(() => this.askForLease(journal.boot))],
      report: (standing, urgent) => {
        this.standing = standing;
        reporter.update(
          { ...standing, host, boot: journal.boot, version: 'sim', driver: 'simulated' },
          urgent,
        );
      },
    });
    this.agent = agent;
    const held = this.held();
    this.last = held;
    const sync = new DocumentSync({
      host,
      source: new LinkSource(host, link, hooks.bugs.alter),
      clock,
      verifier,
      ...(held === null ? {} : { held }),
      onSnapshot: (snapshot) => {
        if (snapshot.documents !== this.last?.documents || snapshot.received !== this.last.received)
          void disk.write('documents', () => toDisk(snapshot, sha256));
        this.last = snapshot;
        agent.documents(hooks.bugs.view?.(snapshot) ?? snapshot);
      },
      onTrouble: (what) => log.warn({ problem: what.message }, 'documents'),
    });
    this.sync = sync;
    link.onState((up) => up && journal.resendAll());
    await agent.start(held === null ? null : (hooks.bugs.view?.(held) ?? held));
    sync.run().catch((cause: unknown) => hooks.fault(`${process.name}: sync`, cause));
    this.every(TELEMETRY_MS, async () => void (await agent.telemetry()));
    this.every(CHECKPOINT_MS, async () => {
      const checkpoint = await agent.checkpoint();
      void link.ask('checkpoint', () =>
        this.server.checkpoints.publish(SUBJECTS.checkpoint(host), encodeBytes(checkpoint)),
      );
    });
  }

  /** What isolates is open, if there is anything. */
  get isLeased(): boolean {
    const leased = this.agent?.compiled?.bindings.filter((b) => b.leased === true) ?? [];
    return leased.every(({ bridge }) => {
      const flows = this.machine.switch.bridges.get(bridge)?.observe().flows ?? [];
      return leaseStands(flows.filter(({ flow }) => sameMeaning(flow.cookie, LEASE_ROW.cookie)));
    });
  }

  private async askForLease(boot: string): Promise<LeaseAnswer | null> {
    if (this.standing === null) return null;
    const { lineage, realised } = this.standing;
    const bytes = encodeBytes({ schema: 1, host: this.host, boot, lineage, realised });
    const ask = (reply: (bytes: Uint8Array) => void): void =>
      this.server.spread('lease', { bytes, reply } satisfies LeaseAsked);
    const said = await this.link.askLater('lease', ask, LEASE.everyMs);
    const answer = said.kind === 'answer' ? unwrap(parseLeaseAnswer(said.value)) : null;
    return this.hooks.bugs.leaseAnswer === undefined ? answer : this.hooks.bugs.leaseAnswer(answer);
  }

  private every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const again = (): void => {
      this.process.clock.after(ms, () => {
        again();
        if (busy) return;
        busy = true;
        work()
          .catch((cause: unknown) => this.process.log('info', { cause: String(cause) }, 'could not read'))
          .finally(() => (busy = false));
      });
    };
    again();
  }

  private bugged(journal: FactJournal): FactJournal {
    const change = this.hooks.bugs.fact;
    if (change === undefined) return journal;
    const record = journal.record.bind(journal);
    journal.record = (fact) => change(fact).forEach(record);
    return journal;
  }

  private restored<T>(name: string, parse: (value: unknown) => Result<T>): T | null {
    const text = this.machine.disk.files.get(name);
    if (text === undefined) return null;
    const parsed = parse(JSON.parse(text));
    if (!parsed.ok) this.hooks.fault(`${this.process.name}: ${name} on disk`, err(parsed.error));
    return parsed.ok ? parsed.value : null;
  }

  private held(): Snapshot | null {
    const text = this.machine.disk.files.get('documents');
    const held = text === undefined ? ok(null) : fromDisk(text, this.host, sha256);
    if (!held.ok) this.hooks.fault(`${this.process.name}: documents on disk`, held.error);
    return held.ok ? held.value : null;
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
