import { type Clock } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome } from '../hypervisor.js';
import { capability } from './hearing.js';
import { type Machine, type MigrationLook } from './machine.js';
import { type Moves } from '../moves.js';
import { type QemuSettings } from './settings.js';
import { judge, lookKey, UNDER_WAY } from './verdict.js';

interface Parts {
  readonly settings: QemuSettings;
  readonly moves: Moves;
  readonly clock: Clock;
  readonly tell: (outcome: MigrationOutcome['outcome'], reason?: string, pauseMs?: number) => void;
  /** Nothing more comes of it. */
  readonly over: () => void;
}

/** Between two attempts to reach a destination that does not listen yet. */
const AGAIN_MS = 250;
/** For how long a guest stands still, at most, because its destination is not ready any more. */
const PAUSED_MS = 1_000;

/**
 * - `looking`: QEMU is asked how it stands.
 * - `held`: the destination does not have the guest's interfaces yet. Nothing was asked.
 * - `asking`: it is written down, and QEMU is prepared.
 * - `asked`: QEMU has not said yet how it ended.
 * - `waiting`: the destination's QEMU does not listen yet; it is tried again.
 * - `gone`: it has moved; QEMU is asked for how long the guest stood still.
 * - `away`: asked, and what became of it can't be learned at the moment.
 */
type At = 'looking' | 'held' | 'asking' | 'asked' | 'waiting' | 'gone' | 'away' | 'over';

/**
 * One order carried out by one QEMU.
 *
 * | QEMU says | before it copied | while it copies |
 * | --- | --- | --- |
 * | `active`, `device`, … | `started`, once | |
 * | `pre-switchover` | continued, unless the destination is not ready any more: then called off after a while | the same |
 * | `completed` | `completed` | `completed` |
 * | `failed` | the destination does not listen yet: again, until patience ends, then `failed` | `failed`, the guest runs on |
 * | `cancelled` | `aborted` | `aborted`, the guest runs on |
 * | nothing: the monitor is gone | `unknown`; when it is back, whatever it says then | the same |
 */
export class Move {
  #order: MigrationOrder;
  #at: At = 'looking';
  #machine: Machine | null = null;
  #copies = false;
  #isAborting = false;
  /** What QEMU said while it was being looked at. */
  #saidMeanwhile: string | null = null;
  /** As QEMU spoke of its last migration before it was asked. */
  #before = '';
  /** Why this host called it off by itself. */
  #calledOff: string | null = null;
  #timer: () => void = () => undefined;
  #until: number;

  constructor(
    order: MigrationOrder,
    private readonly uri: string,
    private readonly parts: Parts,
  ) {
    this.#order = order;
    this.#until = this.#patience();
  }

  get order(): MigrationOrder {
    return this.#order;
  }

  /** Looks, then asks if nobody did. */
  async begin(machine: Machine | null): Promise<void> {
    this.#machine = machine;
    await this.#look();
  }

  /** An abort that this run knows nothing of: what QEMU does is taken for what was ordered, if it was asked at all. */
  async beginAborting(machine: Machine | null): Promise<void> {
    this.#isAborting = true;
    await this.begin(machine);
  }

  /** The order as it stands now: it may be held no more. */
  follow(order: MigrationOrder): void {
    if (this.#isAborting) return;
    this.#order = order;
    if (order.held === true) return;
    if (this.#at === 'held') {
      this.#until = this.#patience();
      this.#run(this.#go());
    } else if (this.#calledOff === null && this.#isPaused) this.#continue();
  }

  /** Asked again while it is under way: says how it stands. */
  again(): void {
    if (this.#copies) this.#tell('started');
  }

  cancel(): void {
    this.#isAborting = true;
    if (this.#at === 'held') this.#end('aborted', 'the destination was not ready yet');
    else if (this.#at === 'waiting') this.#end('aborted', 'the destination did not listen yet');
    else if (this.#at === 'asked') this.#run(this.#askToCancel());
  }

  /** QEMU's word, as an event. */
  heard(status: string): void {
    if (this.#at === 'looking') this.#saidMeanwhile = status;
    else if (this.#at === 'asked') this.#take({ status });
  }

  /** The monitor is back: what it says now is what became of it. */
  found(machine: Machine): void {
    if (this.#at !== 'away') return;
    this.#machine = machine;
    this.#run(this.#look());
  }

  lost(reason: string): void {
    if (this.#at === 'looking' || this.#at === 'asked') this.#unreached(reason);
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.#at = 'over';
    this.#timer();
    this.parts.over();
  }

  async #look(): Promise<void> {
    const machine = this.#machine;
    this.#at = 'looking';
    this.#saidMeanwhile = null;
    if (machine === null) return this.#unreached(`no ${this.#order.owner}.qmp is there`);
    if (!machine.isConnected) return this.#unreached(machine.fault);
    const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
    if (this.#at !== 'looking') return;
    if (!look.ok) return this.#unreached(look.error.message);
    if (!state.ok) return this.#unreached(state.error.message);
    await this.#stands(look.value, state.value);
  }

  async #stands(look: MigrationLook, runState: string): Promise<void> {
    const verdict = judge(this.parts.moves.of(this.#order), look, runState);
    const isGone = runState === 'postmigrate';
    const said = this.#saidMeanwhile;
    if (verdict.do === 'follow' && (!this.#isAborting || isGone || UNDER_WAY.has(look.status))) {
      this.#at = 'asked';
      if (this.#isAborting && !isGone) this.#run(this.#askToCancel());
      this.#take(look);
      if (said !== null) this.heard(said);
    } else if (this.#isAborting && !isGone) this.#end('aborted', 'it was not under way');
    else if (verdict.do === 'end') this.#end(verdict.outcome, verdict.reason);
    else {
      this.#before = lookKey(look);
      await this.#go();
    }
  }

  async #go(): Promise<void> {
    if (this.#order.held !== true) return this.#ask();
    this.#at = 'held';
    const why = `${this.#order.destination} did not say in time that it has every interface of the guest with its policy`;
    this.#after(Math.max(0, this.#until - this.parts.clock.monotonic()), () => this.#end('failed', why));
  }

  async #ask(): Promise<void> {
    const { moves, settings } = this.parts;
    const machine = this.#machine;
    if (machine === null) return;
    this.#at = 'asking';
    this.#timer();
    try {
      await moves.add(this.#order, this.#before);
    } catch (cause) {
      return this.#end('failed', `it could not be written down that QEMU is asked: ${String(cause)}`);
    }
    const prepared = [
      ['migrate-set-capabilities', capability('pause-before-switchover', settings.pauses)],
      ['migrate-set-parameters', { 'downtime-limit': settings.downtimeMs }],
    ] as const;
    for (const [command, args] of prepared) {
      if (!this.#mayAsk()) return;
      const set = await machine.execute(command, args);
      if (!set.ok) return this.#end('failed', set.error.message);
    }
    if (!this.#mayAsk()) return;
    this.#at = 'asked';
    const asked = await machine.execute('migrate', { uri: this.uri });
    // QEMU may have told of the same failure by an event; an answer that did not come is a lost monitor.
    if (!asked.ok && asked.error.code === 'refused' && this.#is('asked')) this.#failed(asked.error.message);
  }

  #mayAsk(): boolean {
    if (!this.#is('asking')) return false;
    if (this.#isAborting) this.#end('aborted', 'it was not under way');
    return !this.#isAborting;
  }

  #take({ status, reason, pauseMs }: MigrationLook): void {
    this.#isPaused = status === 'pre-switchover';
    if (status === 'completed')
      return pauseMs === undefined ? this.#run(this.#completed()) : this.#end('completed', reason, pauseMs);
    if (status === 'cancelled')
      return this.#calledOff === null ? this.#end('aborted', reason) : this.#end('failed', this.#calledOff);
    if (status === 'failed')
      return reason === undefined ? this.#run(this.#whyFailed()) : this.#failed(reason);
    if (!UNDER_WAY.has(status) || status === 'setup' || status === 'cancelling') return;
    if (!this.#copies && !this.#isAborting) this.#tell('started');
    this.#copies = true;
    if (this.#isPaused && !this.#isAborting) this.#switchOver();
  }

  #isPaused = false;

  /** The guest stands still here, and begins to run there with the next word. */
  #switchOver(): void {
    if (this.#order.held !== true) return this.#continue();
    this.#after(PAUSED_MS, () => {
      this.#calledOff = `${this.#order.destination} is not ready for the guest any more`;
      this.#run(this.#askToCancel());
    });
  }

  #continue(): void {
    this.#timer();
    this.#isPaused = false;
    // What comes of it is an event, and of a monitor that is lost the next look.
    this.#run(this.#machine?.execute('migrate-continue', { state: 'pre-switchover' }));
  }

  async #askToCancel(): Promise<void> {
    const asked = await this.#machine?.execute('migrate_cancel');
    // How that ends is an event: it may complete all the same.
    if (asked?.ok === false && asked.error.code === 'refused') this.#tell('unknown', asked.error.message);
  }

  /** The event says no more than that. */
  async #completed(): Promise<void> {
    this.#at = 'gone';
    const look = await this.#machine?.lookAtMigration();
    this.#end('completed', undefined, look?.ok === true ? look.value.pauseMs : undefined);
  }

  async #whyFailed(): Promise<void> {
    const look = await this.#machine?.lookAtMigration();
    if (!this.#is('asked')) return;
    this.#failed(look?.ok === true ? (look.value.reason ?? 'QEMU gave no reason') : 'QEMU gave no reason');
  }

  /** Nothing was copied: the destination is not there yet, or will never be. */
  #failed(reason: string): void {
    const canWait = !this.#copies && !this.#isAborting && isNobodyThere(reason);
    if (!canWait || this.parts.clock.monotonic() > this.#until)
      return this.#end(this.#isAborting ? 'aborted' : 'failed', reason);
    this.#at = 'waiting';
    this.#after(AGAIN_MS, () => this.#run(this.#go()));
  }

  /** It may have gone with its QEMU, and be at the destination; or QEMU was never asked. */
  #unreached(why: string): void {
    if (this.parts.moves.of(this.#order) === undefined)
      return this.#end(this.#isAborting ? 'aborted' : 'failed', why);
    this.#at = 'away';
    this.#timer();
    this.#tell('unknown', `its QEMU can’t be asked: ${why}`);
  }

  #patience(): number {
    return this.parts.clock.monotonic() + this.parts.settings.patienceMs;
  }

  #after(ms: number, then: () => void): void {
    this.#timer();
    this.#timer = this.parts.clock.after(ms, then);
  }

  /** As a question, since it changes while somebody waits. */
  #is(at: At): boolean {
    return this.#at === at;
  }

  #run(doing: Promise<unknown> | undefined): void {
    doing?.catch((cause: unknown) => this.#end('unknown', String(cause)));
  }

  #tell(outcome: MigrationOutcome['outcome'], reason?: string, pauseMs?: number): void {
    this.parts.tell(outcome, reason?.slice(0, 300), pauseMs);
  }

  #end(outcome: MigrationOutcome['outcome'], reason?: string, pauseMs?: number): void {
    if (this.#at === 'over') return;
    this.#at = 'over';
    this.#timer();
    this.#tell(outcome, reason, pauseMs);
    this.parts.over();
  }
}

const isNobodyThere = (reason: string): boolean => /failed to connect/i.test(reason);
