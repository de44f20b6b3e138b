import { sameItems, type Clock, type HostName, type IdGenerator, type Revision } from '#kernel';
import { type Fact } from '#domain';
import { type Checkpoint, type PortDocument, type Report, type Telemetry } from '#contracts';
import { type Snapshot } from '#protocol';
import {
  compile,
  CompileMemo,
  slotOfZone,
  zoneOfSlot,
  type Compiled,
  type Desired,
  type PortEpoch,
} from '#compiler';
import { type Driver, type DriverEvent, type Observation, type Step } from '#openflow';
import { CounterKeeper } from './counters/keeper.js';
import { outstanding } from './counters/outstanding.js';
import { driftOf } from './drift/differences.js';
import { ForeignFlows } from './drift/foreign.js';
import { DriftWatch } from './drift/watch.js';
import { interfaceStates } from './facts/interfaces.js';
import { type FactJournal } from './facts/journal.js';
import { learnedRow, learnedRows, standingSlots, type LearnedRow } from './facts/learned.js';
import { Orders } from './hypervisor/orders.js';
import { Sightings } from './facts/sightings.js';
import { uplinkStates } from './facts/uplinks.js';
import { type Hypervisor } from './hypervisor/hypervisor.js';
import { desiredOf, released, sameWork } from './reconcile/desired.js';
import { Reconciler, type PassResult, type Wanted } from './reconcile/reconciler.js';
import { packetIns, type HandedFrame } from './packet-ins.js';
import { Guard } from './guard.js';
import { TeamingService } from './teaming/teaming.js';
import { type LocalMemory } from './state/local-memory.js';
import { bindingKey, type BindingKey } from './state/memory.js';
import { type Activation, type MakeService } from './service.js';
import { ServiceGroup } from './service-group.js';

export interface AgentLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Everything around the agent: IO, time and ids come in here. */
export interface AgentParts {
  readonly host: HostName;
  readonly boot: string;
  readonly driver: Driver;
  readonly hypervisor: Hypervisor;
  readonly journal: FactJournal;
  readonly memory: LocalMemory;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly log: AgentLog;
  /** Not urgent: a mark brought nothing for this host, so nobody waits for it. */
  readonly report: (
    report: Pick<Report, 'lineage' | 'realised' | 'received' | 'exceptions'>,
    urgent: boolean,
  ) => void;
  /** What stands beside the loop; absent: nothing. */
  readonly services?: readonly MakeService[];
}

/** One host's part of the control plane: documents in, facts out, and the loop that keeps the switch as it must be. */
export class Agent {
  readonly #keeper: CounterKeeper;
  readonly #reconciler: Reconciler;
  readonly #orders: Orders;
  readonly #memo = new CompileMemo();
  readonly #guard: Guard;
  readonly #services: ServiceGroup;
  readonly #packetIn: ReturnType<typeof packetIns>;
  readonly #drift: DriftWatch;
  readonly #teaming: TeamingService;
  readonly #foreign = new ForeignFlows();
  readonly #sightings: Sightings;
  #view: Snapshot | null = null;
  /** What the disk held at the start, until the centre was heard. */
  #held: Snapshot | null = null;
  /** Of the view's documents; null: the host's own is not among them. */
  #desired: Desired | null = null;
  #settled: PassResult | null = null;
  #compiled: Compiled | null = null;
  /** Bindings without a document whose counters are still to be handed in. */
  #owing: readonly PortDocument[] = [];
  /** The bindings of the documents that the last pass worked on. */
  #spokenOf: {
    readonly ports: readonly PortDocument[];
    readonly keys: readonly BindingKey[];
    readonly known: ReadonlySet<BindingKey>;
  } = { ports: [], keys: [], known: new Set() };
  /** The documents do not speak of this host. */
  #isUnknown = false;
  #unwatch: (() => void)[] = [];

  constructor(private readonly parts: AgentParts) {
    this.#guard = new Guard(parts.log);
    const record = (fact: Fact): void => parts.journal.record(fact);
    const { driver, clock, ids, memory } = parts;
    const { incarnations } = memory;
    const save = (): Promise<void> => memory.save();
    const turnedAt = (key: BindingKey): number | undefined => memory.turnedAt(key);
    this.#keeper = new CounterKeeper({ driver, clock, ids, record, incarnations, save, turnedAt });
    this.#orders = new Orders(parts.hypervisor, record, parts.log);
    this.#teaming = new TeamingService(parts);
    this.#drift = new DriftWatch(clock, record);
    const again = (): void => this.#reconciler.kick();
    const random = (): number => Number.parseInt(ids.next().slice(0, 8), 16) / 2 ** 32;
    this.#sightings = new Sightings({ clock, record, again, log: parts.log });
    parts.journal.onRoom(() => this.#sightings.tellInventory());
    this.#reconciler = new Reconciler(driver, clock, {
      wanted: () => this.#wanted(),
      facts: (wanted, have) => this.#facts(wanted, have),
      compile: (desired, facts) => compile(this.#withOwing(desired), facts, this.#memo),
      planned: (compiled, steps) => this.#keeper.making(madeBy(compiled, steps)),
      readBack: (have) => this.#noteRows(learnedRows(have)),
      stands: (have) => this.#drift.stands(this.#foreign.news(have)),
      compared: (installed, have, since, baseline) =>
        this.#drift.seen(driftOf(installed, have, { baseline }), since),
      done: (result) => this.#done(result),
      failed: (reason, retry) => this.#failed(reason, retry),
      random,
    });
    const { host, log } = parts;
    const compiled = (): Compiled | null => this.#compiled;
    const observation = (): Observation | null => this.#reconciler.observation;
    const around = { host, driver, clock, log, memory, random, record, kick: again, compiled, observation };
    this.#services = new ServiceGroup(parts.services ?? [], around, this.#guard);
    const switched = ({ notice: { kind, slot } }: HandedFrame): void =>
      this.#noteRows([{ slot, active: kind === 'activated' }], clock.now());
    const own = { activated: switched, turned: switched };
    this.#packetIn = packetIns([own, this.#services.takers()], log);
  }

  /** Begins with what the disk holds; resolves when the switch answered once. */
  async start(held: Snapshot | null): Promise<void> {
    this.#unwatch.push(this.parts.driver.watch((event) => this.#noticed(event)));
    await this.parts.driver.start();
    await this.parts.hypervisor.start();
    this.#held = held;
    if (held !== null) this.documents(held);
  }

  /** A newer whole view of the documents. */
  documents(view: Snapshot): void {
    const before = this.#view;
    const sameDocuments =
      before !== null && before.documents === view.documents && before.faults === view.faults;
    this.#view = view;
    const isFirstWord = this.#hears(view);
    const isSameLineage = before?.lineage === view.lineage;
    // A mark that brings nothing for this host, heartbeats among them: all hosts get every one of them.
    if (sameDocuments && isSameLineage && this.#holds(view, false)) return;
    const mine = sameDocuments ? this.#desired : desiredOf(view.documents);
    if (mine === null) this.#unknownHere(before, view);
    // What it told meanwhile was refused, and would be told again minutes later.
    else if (this.#isUnknown) this.parts.journal.resendAll();
    this.#isUnknown = mine === null;
    const desired = mine ?? released(this.#desired, view);
    if (before !== null && before.lineage !== null && !isSameLineage) this.#tellAllAgain();
    const accepted = desired?.host.acceptedFactSeq;
    if (accepted !== undefined) this.parts.journal.accepted(accepted?.boot ?? null, accepted?.seq ?? 0);
    if (desired !== null) this.#orders.follow(desired);
    // Most news of a host say that its facts were taken in: there is nothing in them for its switch.
    const isSameWork = sameWork(this.#desired, desired) && before?.faults === view.faults;
    if (!isFirstWord && isSameWork && isSameLineage && this.#holds(view, true)) return;
    this.#desired = desired;
    this.#reconciler.kick();
  }

  /** All but what the disk held is the centre's word. True: the first in this boot, which lets ports open that waited. */
  #hears({ lineage, documents }: Snapshot): boolean {
    if (lineage === null || documents === this.#held?.documents) return false;
    this.#held = null;
    return this.parts.memory.confirm();
  }

  /** Reads the whole switch anew, whatever was told of it. */
  audit(): void {
    this.#reconciler.distrust();
  }

  /** Looks at what the switch tells nobody. */
  async glance(): Promise<void> {
    if (await this.parts.driver.strayed()) this.#reconciler.distrust();
  }

  get compiled(): Compiled | null {
    return this.#compiled;
  }

  async telemetry(): Promise<Telemetry> {
    const counters = await this.#keeper.sample(this.#reconciler.busy);
    const interfaces = this.#reconciler.observation?.interfaces ?? [];
    return {
      schema: 1,
      host: this.parts.host,
      boot: this.parts.boot,
      time: this.parts.clock.now(),
      counters,
      vms: this.parts.hypervisor.vms(),
      interfaces: interfaceStates(interfaces, this.#compiled),
      uplinks: this.#desired === null ? [] : uplinkStates(this.#desired, interfaces),
      ...this.#services.telemetry(),
    };
  }

  async checkpoint(): Promise<Checkpoint> {
    const counters = await this.#keeper.sample(this.#reconciler.busy);
    return {
      schema: 1,
      host: this.parts.host,
      boot: this.parts.boot,
      time: this.parts.clock.now(),
      counters,
    };
  }

  async close(): Promise<void> {
    for (const unwatch of this.#unwatch) unwatch();
    this.#sightings.close();
    await this.#services.close();
    await this.parts.hypervisor.close();
    await this.#reconciler.close();
    this.#drift.close();
    await this.#teaming.close();
    // A last look, so that what is known of the counters is as late as can be if the switch does not come back.
    await this.#keeper.sample().catch((cause: unknown) => {
      this.parts.log.warn({ reason: String(cause) }, 'the counters could not be read at the end');
    });
    await this.parts.driver.close();
  }

  /** Nothing is carried out and nothing is taken in of a host that the cluster does not know: said once, with why. */
  #unknownHere(before: Snapshot | null, { lineage, faults, received }: Snapshot): void {
    const wasKnown = before === null || before.lineage !== lineage || desiredOf(before.documents) !== null;
    if (!wasKnown || lineage === null || faults.length > 0) return;
    const left = this.#desired === null ? 'nothing is touched here' : 'what it carried is taken out';
    this.parts.log.warn(
      { host: this.parts.host, lineage, revision: received },
      `this host is not defined in the cluster, or was removed: ${left}, and its facts are refused`,
    );
  }

  /** Another lineage: the log was restored from a copy, and may lack what it had accepted before. */
  #tellAllAgain(): void {
    this.#sightings.forget();
    this.#keeper.tellAgain();
    this.#orders.giveAgain();
    this.parts.journal.resendAll();
  }

  #wanted(): Wanted | null {
    const view = this.#view;
    const desired = this.#desired;
    if (view === null || view.lineage === null || desired === null) return null;
    const { unconfirmed } = this.parts.memory.localFacts();
    const held = unconfirmed === undefined ? {} : { unconfirmed };
    return { desired, lineage: view.lineage, received: view.received, faults: view.faults, ...held };
  }

  async #facts(wanted: Wanted, have: Observation) {
    const { memory } = this.parts;
    const { ports, host } = wanted.desired;
    this.#teaming.look(host.switches, have.interfaces);
    if (!sameItems(this.#spokenOf.ports, ports)) {
      const keys = ports.map((p) => bindingKey(p.port, p.epoch));
      this.#spokenOf = { ports, keys, known: new Set(keys) };
    }
    const { keys, known } = this.#spokenOf;
    this.#owing = outstanding(wanted.desired, memory.incarnations, memory.localFacts().slots, have, known);
    const owed = this.#owing.map((p) => bindingKey(p.port, p.epoch));
    await this.#allot(owed.length === 0 ? keys : [...keys, ...owed], have);
    const theirs = await this.#services.facts(have, wanted.desired);
    // The centre may be heard in the middle of a pass: what that carries out is of before all the same.
    const held = wanted.unconfirmed === undefined ? {} : { unconfirmed: wanted.unconfirmed };
    return { ...theirs, host: this.parts.host, ...memory.localFacts(), ...held };
  }

  async #allot(keys: readonly BindingKey[], have: Observation): Promise<void> {
    const { memory } = this.parts;
    const { zones } = this.#reconciler;
    // What an earlier run left, and does not know to be gone: nobody asks for it any more.
    if (this.#settled === null) {
      const wanted = new Set<string>(keys);
      const left = Object.entries(memory.localFacts().slots).filter(([key]) => !wanted.has(key));
      zones.add(left.map(([, slot]) => zoneOfSlot(slot)));
    }
    await memory.allot(keys, () => new Set([...standingSlots(have), ...[...zones.used].map(slotOfZone)]));
  }

  #withOwing(desired: Desired): Desired {
    return this.#owing.length === 0 ? desired : { ...desired, ports: [...desired.ports, ...this.#owing] };
  }

  async #done(result: PassResult): Promise<void> {
    const { compiled, wanted, have } = result;
    this.#compiled = compiled;
    this.#drift.repaired();
    const made = madeBy(compiled, result.steps);
    if (this.#sightings.isFresh) this.#tellActivationsAgain(compiled);
    await this.#keeper.installed(compiled.bindings, made);
    // What was owed and is handed in now needs no meters any more.
    if (this.#owing.some((p) => this.parts.memory.incarnations.get(bindingKey(p.port, p.epoch))?.closed))
      this.#reconciler.kick();
    this.#teaming.done(compiled);
    this.#sightings.look(have.interfaces, wanted.desired);
    // Marks that came meanwhile and brought no other work.
    const now = this.#wanted();
    const isCurrent = now?.desired === wanted.desired && now.lineage === wanted.lineage;
    this.#settled = { ...result, wanted: isCurrent ? now : wanted, steps: [] };
    this.#tell(this.#settled);
    this.#services.carriedOut(compiled, have, wanted.desired);
    if (result.steps.length > 0) {
      const fields = { revision: wanted.received, steps: result.steps.map((s) => s.kind) };
      this.parts.log.info(fields, 'the switch carries out the documents');
    }
  }

  #tell(result: PassResult, urgent = true): void {
    const { lineage, received } = result.wanted;
    this.parts.report({ lineage, realised: received, received, exceptions: exceptionsOf(result) }, urgent);
  }

  /**
   * The switch is as the same documents want it: then it is so up to the later revision, too. A pass that is yet to
   * end will say so itself.
   */
  #holds({ received }: Snapshot, urgent: boolean): boolean {
    if (this.#reconciler.pending) return true;
    const settled = this.#settled;
    if (settled === null || settled.wanted.desired !== this.#desired || !this.#reconciler.idle) return false;
    this.#settled = { ...settled, wanted: { ...settled.wanted, received } };
    this.#tell(this.#settled, urgent);
    return true;
  }

  #failed(reason: string, retry: boolean): void {
    this.parts.log.warn({ reason, retry }, 'the switch could not be brought to what the documents say');
    this.#tellFailed(reason);
  }

  /** What stood last is still all that is known to stand; whoever waits for more is told why it does not come. */
  #tellFailed(reason: string): void {
    const wanted = this.#wanted();
    if (wanted === null) return;
    const { lineage, received } = wanted;
    const last = this.#settled?.wanted.lineage === lineage ? this.#settled : null;
    const exceptions = [switchFailed(reason), ...(last === null ? [] : exceptionsOf(last))];
    this.parts.report(
      { lineage, realised: last?.wanted.received ?? (0 as Revision), received, exceptions },
      true,
    );
  }

  /** Where it fails at what it is told, the switch is read: that tells the same. */
  #noticed(event: DriverEvent): void {
    this.#services.noticed(event);
    this.#guard.run(
      `take in ${event.kind}`,
      () => this.#takeIn(event),
      () => this.#reconciler.distrust(),
    );
  }

  #takeIn(event: DriverEvent): void {
    if (event.kind === 'packet-in') this.#packetIn(event);
    if (event.kind === 'flows') {
      const rows = event.changes.flatMap((c) => (c.change === 'removed' ? [] : (learnedRow(c.flow) ?? [])));
      this.#noteRows(rows, this.parts.clock.now());
    }
    if (event.kind === 'down') this.parts.log.warn({ reason: event.reason }, 'the switch does not answer');
    this.#reconciler.noticed(event);
  }

  /**
   * The data plane opened or turned away a binding by itself: a fact, to be kept before it is told. `at`: it was noticed
   * as it happened.
   */
  #noteRows(rows: readonly LearnedRow[], at?: number): void {
    let news = false;
    for (const row of rows) {
      const noted = this.parts.memory.note(row.slot, row.active, at);
      if (noted === null) continue;
      news = true;
      if (row.active)
        this.parts.journal.record({ type: 'PortActivated', ...noted, ...this.#then(noted, at) });
      this.parts.log.info({ ...noted, active: row.active }, 'the data plane switched a port');
    }
    if (news) this.#reconciler.kick();
  }

  /** What a port opened to: when, what of policy stood, and what services know of its guest. */
  #then(binding: PortEpoch, at: number | undefined): Omit<Activation, 'type' | keyof PortEpoch> {
    if (at === undefined) return {};
    const realised = this.#settled?.wanted.received;
    return { at, ...(realised === undefined ? {} : { realised }), ...this.#services.arrived(binding) };
  }

  /** Known from an earlier run, which may have died before it told. */
  #tellActivationsAgain({ bindings }: Compiled): void {
    for (const { port, epoch, role } of bindings) {
      if (role !== 'standby' || !this.parts.memory.activated(bindingKey(port, epoch))) continue;
      this.parts.journal.record({ type: 'PortActivated', port, epoch });
    }
  }
}

const exceptionsOf = ({ wanted, compiled, conflicts }: PassResult): Report['exceptions'] => [
  ...compiled.exceptions,
  ...conflicts.map(conflict),
  ...wanted.faults.map(fault),
];

/** What a report carries of an error's text at most. */
const LONGEST_REASON = 1_000;

const switchFailed = (reason: string): Report['exceptions'][number] => ({
  port: null,
  object: 'switch',
  code: 'switch-failed',
  reason: reason.slice(0, LONGEST_REASON),
});

const conflict = (c: PassResult['conflicts'][number]): Report['exceptions'][number] => ({
  port: null,
  object: c.port === undefined ? `bridge/${c.bridge}` : `bridge/${c.bridge}/${c.port}`,
  code: 'switch-conflict',
  reason: c.reason,
});

const fault = (f: Snapshot['faults'][number]): Report['exceptions'][number] => ({
  port: null,
  object: `document/${f.key}`,
  code: 'document-unreadable',
  reason: f.problem.message,
});

/** Bindings whose meters these steps add. */
function madeBy({ bindings }: Compiled, steps: readonly Step[]): ReadonlySet<BindingKey> {
  const added = addedMeters(steps);
  if (added.size === 0) return new Set();
  const made = bindings.filter((b) => added.get(b.bridge)?.has(b.meters.in.unicast) === true);
  return new Set(made.map((b) => bindingKey(b.port, b.epoch)));
}

function addedMeters(steps: readonly Step[]): ReadonlyMap<string, ReadonlySet<number>> {
  const added = new Map<string, Set<number>>();
  for (const step of steps) {
    if (step.kind !== 'meters') continue;
    const ids = added.get(step.bridge) ?? new Set<number>();
    for (const mod of step.mods) if (mod.op === 'add') ids.add(mod.meter.id);
    added.set(step.bridge, ids);
  }
  return added;
}
