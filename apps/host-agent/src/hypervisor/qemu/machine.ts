import { err, ok, problem, type Clock, type Result } from '#kernel';
import { QmpClient } from './client.js';
import { isFields } from './lines.js';

export interface MachineListener {
  /** QEMU's word on its migration: a `MigrationStatus` such as `active`, `completed`, `failed`. */
  migration(machine: Machine, status: string): void;
  /** The monitor answers (again): what happened meanwhile was not heard. */
  connected(machine: Machine): void;
  lost(machine: Machine, reason: string): void;
}

/** What `query-migrate` says, as far as it is used. */
export interface MigrationLook {
  /** `none` before the first one. */
  readonly status: string;
  readonly reason?: string;
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

/** One QEMU by its monitor's socket. Connects, again and again, as long as it is not closed. */
export class Machine {
  /** Resolves when the first attempt to reach the monitor is over, whatever came of it. */
  readonly tried: Promise<void>;
  #client: QmpClient | null = null;
  #runState: string | null = null;
  #again: (() => void) | null = null;
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
    this.#runState = status;
    return ok(status);
  }

  async lookAtMigration(): Promise<Result<MigrationLook>> {
    const answer = await this.execute('query-migrate');
    if (!answer.ok) return answer;
    if (!isFields(answer.value)) return err(problem('unknown', 'query-migrate told nothing'));
    const { status, 'error-desc': reason } = answer.value;
    return ok({
      status: typeof status === 'string' ? status : 'none',
      ...(typeof reason === 'string' ? { reason } : {}),
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#again?.();
    this.#client?.close();
    this.#client = null;
    this.#runState = null;
  }

  async #connect(): Promise<void> {
    let isReady = false;
    const connected = await QmpClient.connect(this.path, {
      patienceMs: this.patienceMs,
      onEvent: ({ name, data }) => {
        if (CHANGES.has(name)) void this.lookAtRunState();
        const status = data['status'];
        // What is told before is part of what whoever hears `connected` looks at.
        if (isReady && name === 'MIGRATION' && typeof status === 'string')
          this.listener.migration(this, status);
      },
      onClose: (reason) => this.#lost(reason),
    });
    if (!connected.ok) {
      this.#fault = connected.error.message;
      this.#later();
      return;
    }
    if (this.#isClosed) return connected.value.close();
    this.#client = connected.value;
    // Without it the monitor says nothing of a migration's course.
    const capability = { capabilities: [{ capability: 'events', state: true }] };
    const able = await this.execute('migrate-set-capabilities', capability);
    const state = able.ok ? await this.lookAtRunState() : able;
    if (!state.ok) {
      this.#fault = state.error.message;
      // A connection that broke meanwhile has been lost already.
      this.#client?.close();
      this.#client = null;
      return this.#later();
    }
    isReady = true;
    this.listener.connected(this);
  }

  #lost(reason: string): void {
    const wasUp = this.#client !== null;
    this.#client = null;
    this.#runState = null;
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
