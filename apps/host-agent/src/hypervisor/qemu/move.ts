import { type Clock } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome } from '../hypervisor.js';
import { type Machine, type MigrationLook } from './machine.js';
import { type Moves } from './moves.js';
import { type QemuSettings } from './settings.js';

interface Parts {
  readonly settings: QemuSettings;
  readonly moves: Moves;
  readonly clock: Clock;
  readonly tell: (outcome: MigrationOutcome['outcome'], reason?: string) => void;
  /** Nothing more comes of it. */
  readonly over: () => void;
}

interface Seen {
  readonly machine: Machine;
  readonly look: MigrationLook;
  readonly runState: string;
  /** By this run of the agent, or an earlier one. */
  readonly wasAsked: boolean;
}

/** Between two attempts to reach a destination that does not listen yet. */
const AGAIN_MS = 250;
const UNDER_WAY = new Set([
  'setup',
  'active',
  'wait-unplug',
  'pre-switchover',
  'device',
  'cancelling',
  'postcopy-active',
  'postcopy-paused',
  'postcopy-recover',
  'colo',
]);

/**
 * One order carried out by one QEMU.
 *
 * | QEMU says | before it copied | while it copies |
 * | --- | --- | --- |
 * | `active`, `device`, … | `started`, once | |
 * | `completed` | `completed` | `completed` |
 * | `failed` | the destination does not listen yet: again, until patience ends, then `failed` | `failed`, the guest runs on |
 * | `cancelled` | `aborted` | `aborted`, the guest runs on |
 * | nothing: the monitor is gone | `unknown`; when it is back, whatever it says then | the same |
 */
export class Move {
  #machine: Machine | null = null;
  #copies = false;
  /** QEMU was asked by this run and has not yet said how that ended. */
  #isAsked = false;
  #isOver = false;
  #isAborting = false;
  /** What became of it can't be asked at the moment. */
  #isAway = false;
  #retry: (() => void) | null = null;
  readonly #until: number;

  constructor(
    readonly order: MigrationOrder,
    private readonly uri: string,
    private readonly parts: Parts,
  ) {
    this.#until = parts.clock.monotonic() + parts.settings.patienceMs;
  }

  /** Looks, then asks if nobody did. */
  async begin(machine: Machine | null): Promise<void> {
    const seen = await this.#look(machine);
    if (seen === null) return;
    const { look, runState, wasAsked } = seen;
    if (wasAsked && look.status !== 'none') return this.#stands(look, runState);
    if (UNDER_WAY.has(look.status))
      return this.#end('unknown', 'somebody else moves the guest by hand already');
    if (runState === 'inmigrate') return this.#end('failed', 'the guest has not arrived here yet');
    if (runState === 'postmigrate') return this.#end('unknown', 'the guest was moved away by somebody else');
    await this.#ask(seen.machine);
  }

  /** Asked again while it is under way: says how it stands. */
  again(): void {
    if (this.#copies) this.#tell('started');
  }

  /** An abort that this run knows nothing of: what QEMU does is taken for what was ordered, if it was asked at all. */
  async adoptAndCancel(machine: Machine | null): Promise<void> {
    this.#isAborting = true;
    const seen = await this.#look(machine);
    if (seen === null) return;
    const { look, runState, wasAsked } = seen;
    if (wasAsked && UNDER_WAY.has(look.status)) {
      this.#isAsked = true;
      this.#copies = true;
      return this.cancel();
    }
    if (runState === 'postmigrate')
      return wasAsked
        ? this.#end('completed')
        : this.#end('unknown', 'the guest was moved away by somebody else');
    this.#end('aborted', 'it was not under way');
  }

  async cancel(): Promise<void> {
    this.#isAborting = true;
    if (this.#retry !== null) {
      this.#retry();
      this.#retry = null;
      return this.#end('aborted', 'the destination did not listen yet');
    }
    const asked = await this.#machine?.execute('migrate_cancel');
    // How that ends is an event: it may complete all the same.
    if (asked?.ok !== true && !this.#isOver)
      this.#tell('unknown', asked === undefined ? 'its QEMU is not there' : asked.error.message);
  }

  /** QEMU's word, as an event. */
  heard(status: string): void {
    if (this.#isOver || !this.#isAsked) return;
    this.#take({ status });
  }

  /** The monitor is back: what it says now is what became of it. */
  found(machine: Machine): void {
    if (this.#isOver || !this.#isAway) return;
    this.#machine = machine;
    this.#isAway = false;
    void (async () => {
      const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
      if (look.ok && state.ok && !this.#isOver) this.#stands(look.value, state.value);
      if (this.#isAborting && !this.#isOver) await this.cancel();
    })();
  }

  lost(reason: string): void {
    if (this.#isOver || this.#retry !== null) return;
    this.#isAway = true;
    this.#tell('unknown', `its QEMU can’t be asked any more: ${reason}`);
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.#isOver = true;
    this.#retry?.();
    this.#retry = null;
    this.parts.over();
  }

  /** What QEMU says before anything is done; null: it can't be asked, and that is told. */
  async #look(machine: Machine | null): Promise<Seen | null> {
    this.#machine = machine;
    const wasAsked = this.parts.moves.has(this.order);
    if (machine === null || !machine.isConnected) {
      this.#unreached(machine, wasAsked);
      return null;
    }
    const [look, state] = [await machine.lookAtMigration(), await machine.lookAtRunState()];
    if (look.ok && state.ok) return { machine, look: look.value, runState: state.value, wasAsked };
    const fault = look.ok ? state : look;
    if (!fault.ok) this.#tell('unknown', fault.error.message);
    return null;
  }

  #unreached(machine: Machine | null, wasAsked: boolean): void {
    const why = machine === null ? `no ${this.order.owner}.qmp is there` : machine.fault;
    // It may have gone with its QEMU, and be at the destination.
    if (wasAsked) {
      this.#isAway = true;
      return this.#tell('unknown', why);
    }
    this.#end(this.#isAborting ? 'aborted' : 'failed', why);
  }

  /** What QEMU says of a move that was asked for, by this run or an earlier one. */
  #stands(look: MigrationLook, runState: string): void {
    this.#isAsked = true;
    if (look.status === 'completed' && runState === 'running')
      return this.#tell('unknown', 'QEMU sent the guest away, and somebody let it run here again');
    this.#take(look);
  }

  async #ask(machine: Machine): Promise<void> {
    await this.parts.moves.add(this.order);
    if (this.#isOver) return;
    const limit = { 'downtime-limit': this.parts.settings.downtimeMs };
    const set = await machine.execute('migrate-set-parameters', limit);
    if (!set.ok) return this.#end('failed', set.error.message);
    if (this.#isAborting) return this.#end('aborted', 'it was not under way');
    this.#isAsked = true;
    const asked = await machine.execute('migrate', { uri: this.uri });
    // QEMU may have told of the same failure by an event.
    if (asked.ok || this.#isOver || !this.#isAsked) return;
    this.#isAsked = false;
    if (asked.error.code !== 'refused') return this.#tell('unknown', asked.error.message);
    this.#failed(asked.error.message);
  }

  #take({ status, reason }: MigrationLook): void {
    if (status === 'completed') return this.#end('completed');
    if (status === 'cancelled') return this.#end('aborted', reason);
    if (status === 'failed') {
      this.#isAsked = false;
      return reason === undefined ? void this.#whyFailed() : this.#failed(reason);
    }
    if (!UNDER_WAY.has(status) || status === 'setup' || status === 'cancelling' || this.#copies) return;
    this.#copies = true;
    this.#tell('started');
  }

  async #whyFailed(): Promise<void> {
    const look = await this.#machine?.lookAtMigration();
    if (this.#isOver) return;
    this.#failed(look?.ok === true ? (look.value.reason ?? 'QEMU gave no reason') : 'QEMU gave no reason');
  }

  /** Nothing was copied: the destination is not there yet, or will never be. */
  #failed(reason: string): void {
    const machine = this.#machine;
    const canWait = !this.#copies && !this.#isAborting && machine !== null && this.uri !== '';
    if (!canWait || !isNobodyThere(reason) || this.parts.clock.monotonic() > this.#until)
      return this.#end(this.#isAborting ? 'aborted' : 'failed', reason);
    this.#retry = this.parts.clock.after(AGAIN_MS, () => {
      this.#retry = null;
      this.#ask(machine).catch((cause: unknown) => this.#end('failed', String(cause)));
    });
  }

  #tell(outcome: MigrationOutcome['outcome'], reason?: string): void {
    this.parts.tell(outcome, reason?.slice(0, 300));
  }

  #end(outcome: MigrationOutcome['outcome'], reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(outcome, reason);
    this.parts.over();
  }
}

const isNobodyThere = (reason: string): boolean => /failed to connect/i.test(reason);
