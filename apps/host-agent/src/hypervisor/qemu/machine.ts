import { err, ok, problem, type Clock, type Result } from '#kernel';
import { QmpClient, type QmpEvent } from './client.js';
import { hearMigrations } from './hearing.js';
import { isFields } from './lines.js';

export interface MachineListener {
  /** QEMU's word on its migration: a `MigrationStatus` such as `active`, `completed`, `failed`. */
  migration(machine: Machine, status: string): void;
  /** The guest’s run state is another one. */
  ran(machine: Machine, runState: string): void;
  /** The monitor answers (again): what happened meanwhile was not heard. */
  connected(machine: Machine): void;
  lost(machine: Machine, reason: string): void;
}

/** What `query-migrate` says, as far as it is used. */
export interface MigrationLook {
  /** `none` before the first one. */
  readonly status: string;
  readonly reason?: string;
  /** How long it took, once it ended well. */
  readonly tookMs?: number;
  /** Then: from when it stopped the guest to when it had handed over all of it. */
  readonly pauseMs?: number;
}

const AGAIN_MS = 500;
/** After these the run state may be another one. */
const CHANGES = new Set([
  'STOP',
  'RESUME',
  'SUSPEND',
  'WAKEUP',
  'SHUTDOWN',
  'RESET',
  'MIGRATION',
  'GUEST_PANICKED',
]);

const isMillis = (v: unknown): v is number => Number.isSafeInteger(v) && Number(v) >= 0;

/** One QEMU by its monitor's socket. Connects, again and again, as long as it is not closed. */
export class Machine {
  /** Resolves when the first attempt to reach the monitor is over, whatever came of it. */
  readonly tried: Promise<void>;
  #client: QmpClient | null = null;
  #runState: string | null = null;
  #again: (() => void) | null = null;
  #listenLater: (() => void) | null = null;
  #isReady = false;
  #isClosed = false;
  #fault = 'its monitor was not reached yet';

  constructor(
    readonly name: string,
    readonly path: string,
    private readonly clock: Clock,
    private readonly listener: MachineListener,
    private readonly patienceMs: number,
  ) {
    this.tried = this.#connect();
  }

  /** As QEMU calls it (`running`, `inmigrate`, `postmigrate`…); null while that is not known. */
  get runState(): string | null {
    return this.#runState;
  }

  get isConnected(): boolean {
    return this.#client !== null;
  }

  /** Why the monitor was not reached last. */
  get fault(): string {
    return this.#fault;
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<Result<unknown>> {
    const client = this.#client;
    if (client === null) return Promise.resolve(err(problem('unavailable', this.#fault)));
    return client.execute(command, args);
  }

  /** Asks anew: what an event said may be no longer so. */
  async lookAtRunState(): Promise<Result<string>> {
    const answer = await this.execute('query-status');
    if (!answer.ok) return answer;
    const status = isFields(answer.value) ? answer.value['status'] : undefined;
    if (typeof status !== 'string') return err(problem('unknown', 'query-status told no status'));
    if (this.#runState !== status) this.listener.ran(this, (this.#runState = status));
    return ok(status);
  }

  async lookAtMigration(): Promise<Result<MigrationLook>> {
    const answer = await this.execute('query-migrate');
    if (!answer.ok) return answer;
    if (!isFields(answer.value)) return err(problem('unknown', 'query-migrate told nothing'));
    const { status, 'error-desc': reason, 'total-time': tookMs, downtime: pauseMs } = answer.value;
    return ok({
      status: typeof status === 'string' ? status : 'none',
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(typeof tookMs === 'number' ? { tookMs } : {}),
      ...(isMillis(pauseMs) ? { pauseMs } : {}),
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#again?.();
    this.#listenLater?.();
    this.#client?.close();
    this.#client = null;
    this.#runState = null;
  }

  async #connect(): Promise<void> {
    const connected = await QmpClient.connect(this.path, {
      patienceMs: this.patienceMs,
      onEvent: (event) => this.#heard(event),
      onClose: (reason) => this.#lost(reason),
    });
    if (!connected.ok) {
      this.#fault = connected.error.message;
      this.#later();
      return;
    }
    if (this.#isClosed) return connected.value.close();
    this.#client = connected.value;
    const hears = await this.#hear();
    const state = hears.ok ? await this.lookAtRunState() : hears;
    if (!state.ok) {
      this.#fault = state.error.message;
      // A connection that broke meanwhile has been lost already.
      this.#client?.close();
      this.#client = null;
      return this.#later();
    }
    this.#isReady = true;
    this.listener.connected(this);
  }

  #heard({ name, data }: QmpEvent): void {
    if (CHANGES.has(name)) void this.lookAtRunState();
    const status = data['status'];
    // What is told before is part of what whoever hears `connected` looks at.
    if (this.#isReady && name === 'MIGRATION' && typeof status === 'string')
      this.listener.migration(this, status);
  }

  /** A migration under way that began before anybody listened is looked at instead, until it is over. */
  async #hear(): Promise<Result<boolean>> {
    const client = this.#client;
    const hears = await hearMigrations((command, args) => this.execute(command, args));
    if (!hears.ok || hears.value) return hears;
    this.#listenLater = this.clock.after(AGAIN_MS, () => void this.#hearAgain(client));
    return hears;
  }

  async #hearAgain(client: QmpClient | null): Promise<void> {
    if (client !== this.#client) return;
    const look = await this.lookAtMigration();
    if (look.ok && this.#isReady) this.listener.migration(this, look.value.status);
    if (client === this.#client) await this.#hear();
  }

  #lost(reason: string): void {
    const wasUp = this.#client !== null;
    this.#client = null;
    this.#runState = null;
    this.#isReady = false;
    this.#listenLater?.();
    this.#fault = reason;
    if (wasUp) this.listener.lost(this, reason);
    this.#later();
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#again?.();
    this.#again = this.clock.after(AGAIN_MS, () => void this.#connect());
  }
}
