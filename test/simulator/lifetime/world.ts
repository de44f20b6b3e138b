import { type HostName, type IfaceId, type Lineage } from '#kernel';
import { validateResource, type Command, type DomainEvent, type State } from '#domain';
import { type CommandResponse, type Report } from '#contracts';
import { Replica } from '#event-store';
import { clusterRules } from '#runtime';
import { Consumer } from '../bus/consumer.js';
import { Link } from '../bus/link.js';
import { Server } from '../bus/server.js';
import { OPERATOR } from '../checks/auditor.js';
import { Process } from '../engine/process.js';
import { Random } from '../engine/random.js';
import { Scheduler } from '../engine/scheduler.js';
import { Disk } from '../host/disk.js';
import { announcement } from '../host/frames.js';
import { Guest, type Nic } from '../host/guest.js';
import { Machine } from '../host/machine.js';
import { Mover } from '../host/mover.js';
import { AgentService } from '../services/agent.js';
import { ask, CoordinatorService } from '../services/coordinator.js';
import { ManagerService } from '../services/manager.js';
import { FACT_CONSUMER } from '../story/settings.js';

/** Messages that stay, for whoever is a little behind: the rest is the server's to keep. */
const KEPT = 5_000;
/**
 * The same of the log. A manager lives for some 350 commits here: one that was killed before its next snapshot, many times
 * on end, must still find what it has to read.
 */
const KEPT_OF_LOG = 20_000;
/** Commits. A snapshot takes in all that is kept, so it must not come too often. */
const SNAPSHOT_EVERY = 250;

const STEP_MS = 50 * 60 * 1_000;
const STEPS = 30;

/** Services, hosts and guests in calm weather, for as long as one likes: nothing here grows with what happened. */
export class LifeWorld {
  readonly random: Random;
  readonly scheduler = new Scheduler();
  readonly server: Server;
  readonly machines = new Map<string, Machine>();
  readonly agents = new Map<string, AgentService>();
  readonly managers: ManagerService[] = [];
  readonly coordinators: CoordinatorService[] = [];
  readonly guests = new Map<string, Guest>();
  readonly reports = new Map<string, Report>();
  readonly faults: string[] = [];
  readonly mover: Mover;
  /** The state by the log alone. */
  private readonly replica = new Replica<State, DomainEvent>(clusterRules);
  private readonly disks = [new Disk(), new Disk()];
  readonly facts: Consumer;
  private readonly operator: Link;
  /** What the wall clocks of managers are ahead, ms. */
  private skewMs = 0;
  private lives = 0;
  private commands = 0;
  private made = 0;

  constructor(seed: number, hosts: readonly string[]) {
    this.random = new Random(seed);
    const { random, scheduler } = this;
    const weather = { loss: 0, drop: 0, duplicate: 0, delay: 1, spike: 5 };
    this.server = new Server(scheduler, random.fork(), weather);
    this.facts = new Consumer(this.server.facts, scheduler, FACT_CONSUMER);
    this.server.log.tap(({ seq, subject, bytes }) => {
      const taken = this.replica.apply({ seq, topic: subject.slice(4) as 'commit', bytes });
      if (!taken.ok) this.faults.push(`the log can't be read at ${seq}: ${taken.error.problem.message}`);
      this.server.log.delete(seq - KEPT_OF_LOG);
    });
    for (const stream of [this.server.log, this.server.facts])
      stream.onMissed = (seq) => this.faults.push(`message ${seq} is asked for, and no longer kept`);
    this.server.facts.tap(({ seq }) => this.server.facts.delete(seq - KEPT));
    this.mover = new Mover(scheduler, random.fork(), this.guests, this.machines, (nic) => this.announce(nic));
    this.operator = new Link(this.process('operator'), this.server);
    for (const name of hosts) this.addMachine(name);
    this.disks.forEach((_, i) => this.startManager(i));
    for (let i = 0; i < 2; i += 1)
      this.coordinators.push(
        new CoordinatorService(this.process(`coordinator${i + 1}`), this.server, this.fault, false),
      );
    for (const name of hosts) this.startAgent(name);
  }

  get state(): State {
    return this.replica.state;
  }

  get revision(): number {
    return this.replica.head.revision;
  }

  get lineage(): Lineage | undefined {
    return this.replica.head.lineage;
  }

  fault = (where: string, cause: unknown): void => {
    this.faults.push(
      `${where}: ${cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause)}`,
    );
  };

  get now(): number {
    return this.scheduler.now;
  }

  async wait(ms: number): Promise<void> {
    await this.scheduler.runUntil(this.scheduler.now + ms);
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'));
  }

  async until(what: string, limitMs: number, whyNot: () => string | null, stepMs = 250): Promise<void> {
    const limit = this.scheduler.now + limitMs;
    for (let why = whyNot(); why !== null; why = whyNot()) {
      if (this.scheduler.now >= limit) throw new Error(`${what}: ${why}`);
      await this.wait(stepMs);
    }
  }

  /** A command, and its answer while time goes on. */
  async ask(command: Command): Promise<CommandResponse> {
    this.commands += 1;
    const id = `op-${this.commands}`;
    for (;;) {
      let said: CommandResponse | null = null;
      const request = { v: 1, commandId: id, actor: OPERATOR, correlationId: id, command } as const;
      void ask(this.operator, request).then((a) => (said = a.ok ? a.value : { ok: false, problem: a.error }));
      await this.until(`an answer to ${id}`, 30_000, () => (said === null ? 'none yet' : null), 2);
      const answer = said as unknown as CommandResponse;
      if (answer.ok || !answer.problem.retry) return answer;
      await this.wait(200);
    }
  }

  apply(...resources: object[]): Promise<CommandResponse> {
    const valid = resources.map((r) => {
      const checked = validateResource(r);
      if (!checked.ok) throw new Error(checked.error.message);
      return checked.value;
    });
    return this.ask({ type: 'Apply', resources: valid });
  }

  // --- services ---

  startManager(i: number): void {
    const disk = this.disks[i] ?? new Disk();
    const process = this.process(`manager${i + 1}`);
    process.skewMs = this.skewMs;
    this.managers[i] = new ManagerService(
      process,
      this.server,
      this.facts,
      disk,
      this.fault,
      {},
      SNAPSHOT_EVERY,
    );
  }

  /** For what is kept by the wall clock. Something is asked now and then: a clock that leaps is believed for an hour only. */
  async dayPasses(ask: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < STEPS; i += 1) {
      this.skewMs += STEP_MS;
      for (const { process } of this.managers) process.skewMs = this.skewMs;
      await ask();
    }
  }

  startAgent(name: string): void {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    const hooks = {
      fault: this.fault,
      reported: (_: AgentService, report: Report) => void this.reports.set(name, report),
      bugs: {},
      words: { late: 0, twice: 0, lost: 0 },
    };
    this.agents.set(name, new AgentService(this.process(name), this.server, machine, this.mover, hooks));
  }

  private process(name: string): Process {
    this.lives += 1;
    return new Process(`${name}.${this.lives}`, this.scheduler, this.random.fork());
  }

  // --- hosts and guests ---

  private addMachine(name: string): void {
    const machine = new Machine(name, this.scheduler, this.random.fork());
    machine.onWire = (from, frame) => {
      for (const to of this.machines.values())
        if (to !== from)
          this.scheduler.in(this.random.between(0.05, 0.6), null, 'timer', () =>
            to.switch.inject('eth0', frame),
          );
    };
    this.machines.set(name, machine);
  }

  private announce(nic: Nic): void {
    const machine = this.machines.get(nic.guest.machine ?? '');
    if (nic.guest.state === 'running' && machine !== undefined)
      machine.inject(nic, announcement(nic.spec.mac));
  }

  /** A guest that never was before; null: the host is not in the switch yet. */
  boot(profile: string, lan: string, machine: Machine): Guest | null {
    this.made += 1;
    const mac = `02:${hex(this.made >> 24)}:${hex(this.made >> 16)}:${hex(this.made >> 8)}:${hex(this.made)}:01`;
    const guest = new Guest(`vm${this.made}`);
    guest.addNic({ ifaceId: `if-${this.made}`, mac, profile, switch: lan });
    return this.start(guest, machine) ? guest : null;
  }

  start(guest: Guest, machine: Machine): boolean {
    if (guest.state !== 'off' || guest.moving || !machine.hasBridges(guest) || machine.hasTap(guest))
      return false;
    for (const nic of guest.nics) machine.plug(nic);
    guest.machine = machine.name;
    guest.state = 'running';
    this.guests.set(guest.owner, guest);
    this.scheduler.in(50, null, 'timer', () => guest.nics.forEach((nic) => this.announce(nic)));
    return true;
  }

  stop(guest: Guest): void {
    if (guest.state !== 'running' || guest.moving) return;
    guest.state = 'off';
    for (const nic of guest.nics) this.machines.get(guest.machine ?? '')?.unplug(nic);
    guest.machine = null;
  }

  /** Nobody will start it again. */
  forget(guest: Guest): void {
    this.guests.delete(guest.owner);
    for (const machine of this.machines.values()) for (const nic of guest.nics) machine.known.delete(nic);
  }

  /** Its guests have one vNIC each. */
  portOf({ nics: [nic] }: Guest): string | undefined {
    return this.state.byIface.get((nic?.spec.ifaceId ?? '') as IfaceId);
  }

  host(name: string): HostName {
    return name as HostName;
  }
}

const hex = (n: number): string => (n & 0xff).toString(16).padStart(2, '0');
