import { problem, ProblemError } from '#kernel';
import {
  type Driver,
  type DriverEvent,
  type FlowStats,
  type MeterStats,
  type Observation,
  type ObservedInterface,
  type ObservedRows,
  type PortStats,
  type Step,
  type Action,
  type TrackedConnection,
} from '#openflow';
import { SimulatedDriver } from '#simulated-switch';
import { type Process } from '../engine/process.js';
import { type Machine } from './machine.js';

/**
 * An agent's connection to the switch of its host: the real simulated driver, with time between asking, doing and
 * answering. Answers and events come in one order.
 */
export class MachineDriver implements Driver {
  readonly kind = 'simulated' as const;
  private inner: SimulatedDriver;
  private readonly listeners = new Set<(event: DriverEvent) => void>();
  private heardUntil = 0;
  private started = false;

  constructor(
    private readonly machine: Machine,
    private readonly process: Process,
    /** Planted fault. */
    private readonly skipsEffective: boolean,
  ) {
    this.inner = this.connect();
    machine.drivers.add(this);
    process.onEnd(() => this.gone());
  }

  async start(): Promise<void> {
    this.started = true;
    for (;;) {
      const { inner } = this;
      await this.trip('start', () => inner.start()).catch(notConnected);
      if (inner !== this.inner) continue;
      this.machine.isKnown = true;
      return;
    }
  }

  read(): Promise<Observation> {
    return this.trip('read', () => this.inner.read());
  }

  rows(): Promise<ObservedRows> {
    return this.trip('rows', () => this.inner.rows());
  }

  connections(zone: number): Promise<readonly TrackedConnection[]> {
    return this.trip('connections', () => this.inner.connections(zone));
  }

  ignoreSequences(): Promise<void> {
    return this.trip('ignore sequences', () => this.inner.ignoreSequences());
  }

  interfaces(): Promise<readonly ObservedInterface[]> {
    return this.trip('interfaces', () => this.inner.interfaces());
  }

  async apply(step: Step): Promise<void> {
    if (step.kind === 'effective' && this.skipsEffective) return;
    const what = 'bridge' in step ? `${step.kind} ${step.bridge}` : step.kind;
    if (step.kind === 'effective')
      await this.process.pause(this.process.random.between(1, 40), 'waits for the cache');
    await this.trip(what, () => this.inner.apply(step));
  }

  meterStats(bridge: string, ids: readonly number[]): Promise<readonly MeterStats[]> {
    return this.trip('meters', () => this.inner.meterStats(bridge, ids));
  }

  flowStats(bridge: string, cookie: bigint, mask: bigint): Promise<readonly FlowStats[]> {
    return this.trip('flows', () => this.inner.flowStats(bridge, cookie, mask));
  }

  portStats(bridge: string): Promise<readonly PortStats[]> {
    return this.trip('port counts', () => this.inner.portStats(bridge));
  }

  setPortData(device: string, data: string | null): Promise<void> {
    return this.trip('port data', () => this.inner.setPortData(device, data));
  }

  strayed(): Promise<boolean> {
    return this.trip('a glance', () => this.inner.strayed());
  }

  async packetOut(
    bridge: string,
    to: number | readonly Action[],
    ...frames: readonly Uint8Array[]
  ): Promise<void> {
    await this.trip('packet-out', () => this.inner.packetOut(bridge, to, ...frames));
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.gone();
    return Promise.resolve();
  }

  /** The switch was restarted: the connection breaks and comes back to the new one. */
  switchRestarted(): void {
    this.tell({ kind: 'down', reason: 'the switch was restarted' });
    void this.inner.close();
    this.inner = this.connect();
    if (this.started) void this.inner.start();
  }

  /** The switch refuses what it is asked next. */
  failNext(): void {
    this.inner.failNextApply();
  }

  private connect(): SimulatedDriver {
    const inner = new SimulatedDriver(this.machine.switch);
    inner.watch((event) => inner === this.inner && this.tell(event));
    return inner;
  }

  private gone(): void {
    this.machine.drivers.delete(this);
    void this.inner.close();
  }

  private async trip<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { process } = this;
    const { inner } = this;
    await process.pause(process.random.between(0.05, 1), `switch: ${what}`);
    if (inner !== this.inner) throw new ProblemError(problem('unavailable', 'the switch was restarted'));
    const answer = await work().then(
      (value) => ({ ok: true as const, value }),
      (cause: unknown) => ({ ok: false as const, cause }),
    );
    await new Promise<void>((resolve) => this.hear('switch answers', resolve));
    if (!answer.ok) throw answer.cause;
    return answer.value;
  }

  private tell(event: DriverEvent): void {
    const { inner } = this;
    this.hear(`switch tells: ${event.kind}`, () => {
      if (event.kind === 'up' && inner === this.inner) this.machine.isKnown = true;
      for (const listener of this.listeners) listener(event);
    });
  }

  private hear(what: string, run: () => void): void {
    const { scheduler, random } = this.process;
    this.heardUntil = Math.max(this.heardUntil, scheduler.now + random.between(0.05, 1));
    scheduler.at(this.heardUntil, this.process, what, run);
  }
}

/** As a real connection does, it goes on until it stands. */
function notConnected(cause: unknown): void {
  if (!(cause instanceof ProblemError)) throw cause;
}
