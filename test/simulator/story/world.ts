import { type HostName, type Lineage } from '#kernel';
import { validateResource, type Command, type Resource } from '#domain';
import { type CommandResponse, type Report } from '#contracts';
import { Consumer } from '../bus/consumer.js';
import { Link } from '../bus/link.js';
import { Server, type ServerCopy, type Weather } from '../bus/server.js';
import { Auditor, OPERATOR } from '../checks/auditor.js';
import { HandoverChecks } from '../checks/handover.js';
import { FrameChecks } from '../checks/frames.js';
import { MoveChecks } from '../checks/moves.js';
import { TwinChecks } from '../checks/twins.js';
import { Process } from '../engine/process.js';
import { Random } from '../engine/random.js';
import { Scheduler } from '../engine/scheduler.js';
import { Disk } from '../host/disk.js';
import { announcement, BROADCAST, numbered } from '../host/frames.js';
import { Guest, type Nic } from '../host/guest.js';
import { Machine } from '../host/machine.js';
import { type Words } from '../host/hypervisor.js';
import { Mover } from '../host/mover.js';
import { AgentService, type AgentBugs } from '../services/agent.js';
import { ask, CoordinatorService } from '../services/coordinator.js';
import { ManagerService, type ManagerBugs } from '../services/manager.js';
import { type RuleBug } from '../mutants/rules.js';
import { lossPolicies, type OnLoss } from './loss-policies.js';
import { forgotten } from './losses.js';
import { FACT_CONSUMER, OVERTAKING } from './settings.js';

export interface Bugs extends AgentBugs, ManagerBugs {
  readonly carelessLog?: boolean;
  readonly newIdEachTry?: boolean;
  readonly rules?: RuleBug;
  /** What is wrong for everybody in this process; what is returned takes it out. */
  readonly plant?: () => () => void;
  /** How much of what is republished gets lost from the beginning: what the fault needs to show. */
  readonly drop?: number;
  /** How likely guests come back that already ran elsewhere, for the same reason. */
  readonly comesBack?: number;
  /** How much of what is asked or answered is lost from the beginning. */
  readonly loss?: number;
  /** How long guests are copied at most, ms. */
  readonly copyMs?: number;
  /** How likely somebody forges frames at a move. */
  readonly forging?: number;
  /** How likely groups isolate. */
  readonly isolating?: number;
  /** How much of what goes wrong is that hosts are lost or cut off, where groups isolate. */
  readonly lostHosts?: number;
  /** How likely the hypervisor's words come late, twice, or never. */
  readonly words?: Words;
}

export interface Size {
  readonly hosts: number;
  readonly guests: number;
  readonly managers: number;
  readonly coordinators: number;
}

/** Most commits fit, a few must be cut in pieces. */
const SMALL_BYTES = 4_000;

/** Before counters are given up. */
const PATIENCE_MS = 20_000;

const WORDS: Words = { late: 0.05, twice: 0.05, lost: 0.03 };

export class Broken extends Error {}

/** Two managers, two coordinators, some hosts with agents and guests, and the server between them. */
export class SimWorld {
  readonly random: Random;
  readonly scheduler = new Scheduler();
  readonly server: Server;
  readonly facts: Consumer;
  readonly auditor: Auditor;
  readonly frames: FrameChecks;
  readonly handover: HandoverChecks;
  readonly twins: TwinChecks;
  readonly machines = new Map<string, Machine>();
  readonly guests = new Map<string, Guest>();
  readonly nics: Nic[] = [];
  readonly managers: { disk: Disk; service: ManagerService | null }[] = [];
  readonly coordinators: { service: CoordinatorService | null }[] = [];
  readonly agents = new Map<string, AgentService | null>();
  /** What each host last reported as realised: it stands as long as its switch does. */
  readonly reports = new Map<string, Report>();
  readonly mover: Mover;
  readonly weather: Weather;
  readonly operator: Link;
  /** Copies of what the message server held, for it to be put back to: all of the history that stands. */
  copies: (ServerCopy & { readonly lineage: Lineage | undefined })[] = [];
  traffic = true;
  calmSince = Number.POSITIVE_INFINITY;
  /** How long nothing new happens, ms: for what takes long to come about. */
  lull = 0;
  readonly words: Words;
  greedy: boolean;
  /** Questions of the operator's that are not answered yet. */
  asking = 0;
  /** By group. */
  readonly lossPolicies: ReadonlyMap<string, OnLoss>;
  private lives = 0;
  private commands = 0;
  private readonly violations: string[] = [];

  constructor(
    readonly seed: number,
    size: Size,
    readonly bugs: Bugs = {},
  ) {
    this.random = new Random(seed);
    // A stream of its own: stories without are told as ever.
    this.lossPolicies = lossPolicies(new Random(seed ^ 0x150_1a7e), bugs.isolating);
    this.words = { ...(bugs.words ?? WORDS) };
    const { random, scheduler } = this;
    this.weather = { loss: bugs.loss ?? 0, drop: bugs.drop ?? 0, duplicate: 0, delay: 1, spike: 20 };
    this.server = new Server(scheduler, random.fork(), this.weather);
    if (random.chance(0.2)) this.server.windowMs = 1_000;
    if (random.chance(0.2)) this.server.maxBytes = SMALL_BYTES;
    this.server.log.careless = bugs.carelessLog ?? false;
    this.facts = new Consumer(
      this.server.facts,
      scheduler,
      bugs.factsOvertake === true ? OVERTAKING : FACT_CONSUMER,
    );
    this.auditor = new Auditor(
      (what) => this.broken(what),
      (text) => scheduler.note(text),
      () => scheduler.now,
    );
    // What a host that is removed still counts, nobody will ask it for.
    this.auditor.onRemoved = (host, before) => {
      const machine = this.machines.get(host);
      if (machine !== undefined) forgotten(this.auditor, machine, before);
    };
    const moves = new MoveChecks(this);
    this.twins = new TwinChecks(this);
    this.auditor.onCommit = (events, before, after) => {
      moves.committed(events, before, after);
      this.twins.committed(events, before);
    };
    this.server.log.tap((message) => this.auditor.take(message));
    this.frames = new FrameChecks(this);
    this.handover = new HandoverChecks(this);
    this.mover = new Mover(scheduler, random.fork(), this.guests, this.machines, (nic) => this.announce(nic));
    this.mover.onTwice = (what) => this.broken(`${what} is begun twice`);
    this.mover.copyMs = bugs.copyMs ?? this.mover.copyMs;
    this.mover.comesBack = bugs.comesBack ?? this.mover.comesBack;
    this.greedy = random.chance(0.5);
    this.operator = new Link(new Process('operator', scheduler, random.fork()), this.server);
    scheduler.onStep = () => this.afterStep();
    for (let i = 1; i <= size.hosts; i += 1) this.addMachine(`h${i}`);
    for (let i = 1; i <= size.guests; i += 1) this.addGuest(i);
    for (let i = 0; i < size.managers; i += 1) this.managers.push({ disk: new Disk(), service: null });
    for (let i = 0; i < size.coordinators; i += 1) this.coordinators.push({ service: null });
  }

  broken(what: string): void {
    this.scheduler.note(`!!! ${what}`);
    this.violations.push(what);
  }

  wait(ms: number): Promise<void> {
    return this.scheduler.runUntil(this.scheduler.now + ms);
  }

  /** Nobody begins anything new. */
  get isCalm(): boolean {
    return this.scheduler.now >= this.calmSince;
  }

  now(): number {
    return this.scheduler.now;
  }

  fault = (where: string, cause: unknown): void => {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
    this.broken(`a defect shows in ${where}: ${text}`);
  };

  private afterStep(): void {
    if (this.violations.length > 0) throw new Broken(this.violations.join('\n'));
  }

  private process(name: string): Process {
    this.lives += 1;
    return new Process(`${name}.${this.lives}`, this.scheduler, this.random.fork());
  }

  // --- services ---

  startManager(i: number): void {
    const place = this.managers[i];
    if (place === undefined || place.service?.process.alive === true) return;
    place.service = new ManagerService(
      this.process(`manager${i + 1}`),
      this.server,
      this.facts,
      place.disk,
      this.fault,
      this.bugs,
    );
  }

  startCoordinator(i: number): void {
    const place = this.coordinators[i];
    if (place === undefined || place.service?.process.alive === true) return;
    place.service = new CoordinatorService(
      this.process(`coordinator${i + 1}`),
      this.server,
      this.fault,
      this.greedy,
    );
  }

  startAgent(host: string): void {
    const machine = this.machines.get(host);
    if (machine === undefined || machine.isDown || this.agents.get(host)?.process.alive === true) return;
    const service = new AgentService(this.process(host), this.server, machine, this.mover, {
      fault: this.fault,
      reported: (agent, report) => this.reported(agent, report),
      bugs: this.bugs,
      words: this.words,
    });
    this.agents.set(host, service);
  }

  private reported(agent: AgentService, report: Report): void {
    this.scheduler.note(
      `   ~ ${agent.process.name} reports ${report.realised}${report.exceptions.map((e) => ` (${e.object}: ${e.code})`).join('')}`,
    );
    this.reports.set(agent.machine.name, report);
    if (agent.machine.isKnown) agent.machine.unhurt = true;
    if (agent.last !== null && agent.last.lineage === report.lineage)
      this.auditor.checkClaim(agent.last, report.realised, agent.process.name);
  }

  services(): Process[] {
    return [
      ...this.managers.map((m) => m.service?.process),
      ...this.coordinators.map((c) => c.service?.process),
      ...[...this.agents.values()].map((a) => a?.process),
    ].filter((p): p is Process => p?.alive === true);
  }

  startAll(): void {
    this.managers.forEach((_, i) => this.startManager(i));
    this.coordinators.forEach((_, i) => this.startCoordinator(i));
    for (const host of this.machines.keys()) this.startAgent(host);
  }

  // --- hosts and guests ---

  /** A service is not heard, and hears nothing. */
  cutOff(name: string, link: Link | undefined, ms: number): void {
    if (link === undefined || link.partitioned || !link.process.alive) return;
    this.scheduler.note(`   ! ${name} is cut off`);
    link.cut();
    const heal = (): void => {
      // A host that does not reach the centre meanwhile is connected with it.
      if ((this.machines.get(name)?.cutOffAt ?? null) === null) link.heal();
    };
    this.scheduler.in(ms, null, 'timer', heal);
  }

  private addMachine(name: string): void {
    const machine = new Machine(name, this.scheduler, this.random.fork());
    const arrival = new Map<string, number>();
    machine.onWire = (from, frame) => {
      for (const to of this.machines.values()) {
        if (to === from) continue;
        const at = Math.max(arrival.get(to.name) ?? 0, this.scheduler.now + from.random.between(0.05, 0.6));
        arrival.set(to.name, at);
        this.scheduler.at(at, null, 'timer', () => this.handover.arrives(to, 'eth0', frame));
      }
    };
    machine.onMissed = (nic) => (nic.missed += 1);
    machine.onHanded = (at, nic, frame) => {
      this.twins.passed(at, nic);
      this.frames.handed(at, nic, frame);
    };
    this.machines.set(name, machine);
    this.agents.set(name, null);
  }

  private addGuest(i: number): void {
    const guest = new Guest(`vm${i}`, this.random.pick(['libvirt', 'qemu'] as const));
    this.guests.set(guest.owner, guest);
    const vnics = this.random.chance(0.3) ? 2 + this.random.below(2) : 1;
    for (let n = 0; n < vnics; n += 1) this.addNic(guest, `if-${i}${'abc'[n]}`, i * 16 + n);
  }

  private addNic(guest: Guest, ifaceId: string, number: number): void {
    const profile = this.random.pick(['web', 'web', 'db', 'eph']);
    const mac = `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`;
    const nic = guest.addNic({ ifaceId, mac, profile, switch: 'lan' });
    nic.quiet = this.random.chance(0.15);
    this.nics.push(nic);
    const next = (): void => {
      this.scheduler.in(this.random.between(5, nic.quiet ? 9_000 : 120), null, 'timer', () => {
        if (this.traffic && guest.state === 'running')
          for (const place of guest.places) this.sendNumbered(nic, place);
        next();
      });
    };
    next();
  }

  private sendNumbered(nic: Nic, from: string): void {
    const peer = this.random.pick(this.nics);
    nic.number += 1;
    const to = peer === nic ? BROADCAST : peer.spec.mac;
    this.send(nic, from, numbered(to, nic.spec.mac, nic.number), nic.number);
  }

  private announce(nic: Nic): void {
    const { machine, state } = nic.guest;
    if (this.traffic && machine !== null && state === 'running')
      this.send(nic, machine, announcement(nic.spec.mac), null);
  }

  private send(nic: Nic, from: string, frame: Uint8Array, number: number | null): void {
    const machine = this.machines.get(from);
    if (machine === undefined) return;
    nic.sent += 1;
    this.frames.sent(nic, machine, number);
    const before = machine.transmitted;
    const counted = machine.inject(nic, frame);
    if (machine.transmitted > before) this.twins.passed(machine, nic);
    if (counted === 0 && this.isAwaited(nic) && machine.unhurt && !machine.isTampered(this.now()))
      this.broken(`a frame of ${nic.spec.ifaceId} is not counted at ${machine.name}, which was ready for it`);
    if (counted > 1) this.broken(`a frame of ${nic.spec.ifaceId} was counted ${counted} times`);
    nic.accepted += counted;
    nic.acceptedBytes += counted * frame.length;
    if (counted > 0 && !this.isBound(nic, machine)) nic.exact = false;
  }

  /** A host that came back with documents from before it went down may still count for what was taken from it. */
  private isBound({ spec }: Nic, { name }: Machine): boolean {
    const { state } = this.auditor;
    const port = state.ports.get(state.byIface.get(spec.ifaceId as never) as never);
    const bindings = port === undefined ? [] : [port.active, port.standby, ...port.retiring];
    return bindings.some((binding) => binding?.host === name);
  }

  /**
   * Everything was ready for it where it is; a vNIC without a port when the move began has no part in that. A log that
   * came back older may know nothing of the guest's being there, and let its operator give the move up.
   */
  private isAwaited({ guest, spec }: Nic): boolean {
    const { state, isReturned, returns } = this.auditor;
    const port = state.byIface.get(spec.ifaceId as never);
    const move = guest.broughtBy === null ? undefined : state.migrations.get(guest.broughtBy);
    if (this.now() >= guest.awaitedUntil || isReturned || move === undefined) return false;
    if (returns > 0 && (move.phase === 'aborted' || move.phase === 'failed')) return false;
    return move.ports.some((p) => p.port === port);
  }

  /** Starts a guest on a host, as soon as the bridge is there. */
  boot(guest: Guest, machine: Machine, tries = 40): void {
    if (guest.state !== 'off' || guest.moving || tries === 0) return;
    if (!machine.hasBridges(guest) || machine.hasTap(guest)) {
      this.scheduler.in(100, null, 'timer', () => this.boot(guest, machine, tries - 1));
      return;
    }
    for (const nic of guest.nics) machine.plug(nic);
    guest.machine = machine.name;
    guest.state = 'running';
    guest.awaitedUntil = 0;
    this.scheduler.note(`   * ${guest.owner} starts at ${machine.name}`);
  }

  shutdown(guest: Guest): void {
    if (guest.state !== 'running' || guest.moving) return;
    for (const place of guest.places) this.endAt(guest, place);
  }

  /** What runs of a guest on this host is ended. */
  endAt(guest: Guest, place: string): void {
    for (const nic of guest.nics) this.machines.get(place)?.unplug(nic);
    guest.endsAt(place, this.now());
    this.scheduler.note(`   * ${guest.owner} stops at ${place}`);
  }

  /** What the message server holds now, to be put back to. */
  copy(): SimWorld['copies'][number] {
    return { ...this.server.copy(this.facts.copy()), lineage: this.auditor.lineage };
  }

  // --- the operator ---

  apply(...resources: unknown[]): Promise<CommandResponse | null> {
    const parsed = resources.map((r): Resource => {
      const valid = validateResource(r);
      if (!valid.ok) throw new Error(valid.error.message);
      return valid.value;
    });
    return this.command({ type: 'Apply', resources: parsed });
  }

  /** A host that lost its disk twice may owe counters that it knows nothing of: the operator gives them up. */
  giveUp(host: string): void {
    const machine = this.machines.get(host);
    if (machine?.forgot !== true || this.now() < this.calmSince + PATIENCE_MS) return;
    machine.forgot = false;
    void this.command({ type: 'GiveUpCounters', host: this.host(host), reason: 'its disk was lost' });
  }

  /** Asks until there is an answer. */
  async command(command: Command, tries = 12): Promise<CommandResponse | null> {
    this.commands += 1;
    const id = `op-${this.commands}`;
    for (let i = 0; i < tries; i += 1) {
      const said = await this.askOnce(id, i, command);
      if (said.ok) {
        this.scheduler.note(`   > ${command.type} ${id} done at ${said.revision}`);
        this.auditor.checkDone(id, said.revision, said.events ?? 0);
        if (this.random.chance(0.25)) void this.askAgain(id, command, said);
        return said;
      }
      if (!said.problem.retry) {
        this.scheduler.note(`   > ${command.type} ${id} refused: ${said.problem.message}`);
        return said;
      }
      this.asking += 1;
      await this.operator.process.pause(300, 'asks again');
      this.asking -= 1;
    }
    return null;
  }

  private async askOnce(correlationId: string, attempt: number, command: Command): Promise<CommandResponse> {
    const again = attempt > 0 && this.bugs.newIdEachTry === true;
    const commandId = again ? `${correlationId}-${attempt}` : correlationId;
    const request = { v: 1, commandId, actor: OPERATOR, correlationId, command } as const;
    this.asking += 1;
    const answer = await ask(this.operator, request).finally(() => (this.asking -= 1));
    return answer.ok ? answer.value : { ok: false, problem: answer.error };
  }

  /** A client that did not hear the answer: however late, it is the same. */
  private async askAgain(id: string, command: Command, first: CommandResponse & { ok: true }): Promise<void> {
    const { returns } = this.auditor;
    await this.operator.process.pause(this.random.between(100, 8_000), 'asks once more');
    const said = await this.askOnce(id, 1, command);
    // What changed nothing stands in no log: it is remembered in snapshots only, and may be answered anew. What the
    // log lost is done now, or refused.
    if ((first.events ?? 0) === 0 || this.auditor.returns !== returns) return;
    if (said.ok && said.revision !== first.revision)
      this.broken(`${id} was acknowledged at ${first.revision}, and asked again at ${said.revision}`);
    if (!said.ok && !said.problem.retry)
      this.broken(
        `${id} was acknowledged at ${first.revision}, and asked again refused: ${said.problem.message}`,
      );
  }

  host(name: string): HostName {
    return name as HostName;
  }
}
