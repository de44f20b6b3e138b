import { assertNever, problem, ProblemError, type Problem } from '#kernel';
import {
  PORT_DATA,
  type Driver,
  type DriverEvent,
  type FlowStats,
  type MeterStats,
  type Observation,
  type PortStats,
  type ObservedInterface,
  type ObservedRows,
  type Step,
  type Action,
  type TrackedConnection,
} from '#openflow';
import { tracked } from './conntrack/tracked.js';
import { type SimulatedSwitch } from './switch.js';

/**
 * The agent's way to a simulated switch. Like a real connection it can be refused and can break; the switch goes on
 * forwarding meanwhile.
 */
export class SimulatedDriver implements Driver {
  readonly kind = 'simulated' as const;
  private readonly listeners = new Set<(event: DriverEvent) => void>();
  private readonly refusals: Problem[] = [];
  private connected = false;
  private stop: (() => void) | undefined;

  constructor(private readonly target: SimulatedSwitch) {}

  start(): Promise<void> {
    this.stop ??= this.target.listen((event) => this.connected && this.tell(event));
    this.reconnect();
    return Promise.resolve();
  }

  async read(): Promise<Observation> {
    await this.turn();
    const bridges = [...this.target.bridges.values()].map((bridge) => bridge.observe());
    return { bridges, interfaces: this.target.interfaces() };
  }

  async rows(): Promise<ObservedRows> {
    await this.turn();
    const bridges = [...this.target.bridges.values()].map((b) => ({ name: b.name, ...b.row() }));
    return { bridges, interfaces: this.target.interfaces() };
  }

  async interfaces(): Promise<readonly ObservedInterface[]> {
    await this.turn();
    return this.target.interfaces();
  }

  async apply(step: Step): Promise<void> {
    await this.turn();
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw new ProblemError(refusal);
    switch (step.kind) {
      case 'ovsdb':
        return this.target.transact(step.changes);
      case 'meters':
        return this.target.bridge(step.bridge).meterMods(step.mods);
      case 'bundle':
        return this.target.bridge(step.bridge).bundle(step.mods);
      case 'flush':
        this.target.bridge(step.bridge);
        return step.connections.forEach((filter) => this.target.conntrack.flush(filter));
      case 'effective':
      case 'purge':
        return this.target.bridge(step.bridge).forget();
      default:
        return assertNever(step);
    }
  }

  async meterStats(bridge: string, ids: readonly number[]): Promise<readonly MeterStats[]> {
    await this.turn();
    const { meters } = this.target.bridge(bridge);
    return ids.flatMap((id) => meters.get(id)?.stats() ?? []);
  }

  async flowStats(bridge: string, cookie: bigint, mask: bigint): Promise<readonly FlowStats[]> {
    await this.turn();
    const flows = this.target.bridge(bridge).tables.flows(this.target.clock.monotonic());
    return flows.filter(({ flow }) => ((flow.cookie ^ cookie) & mask) === 0n);
  }

  async portStats(bridge: string): Promise<readonly PortStats[]> {
    await this.turn();
    return this.target.bridge(bridge).ports.stats();
  }

  /** Nothing of it is told to nobody. */
  async strayed(): Promise<boolean> {
    await this.turn();
    return false;
  }

  async packetOut(
    bridge: string,
    to: number | readonly Action[],
    ...frames: readonly Uint8Array[]
  ): Promise<void> {
    await this.turn();
    for (const frame of frames)
      if (typeof to === 'number') this.target.send(bridge, to, frame);
      else this.target.work(bridge, to, frame);
  }

  async connections(zone: number): Promise<readonly TrackedConnection[]> {
    await this.turn();
    return this.target.conntrack.all().flatMap((one) => (one.zone === zone ? [tracked(one)] : []));
  }

  /** It never asks for them. */
  ignoreSequences(): Promise<void> {
    return this.turn();
  }

  async setPortData(device: string, data: string | null): Promise<void> {
    await this.turn();
    const row = this.target.interfaces().find(({ name }) => name === device);
    if (row === undefined)
      throw new ProblemError(problem('not-found', `the switch has no interface ${device}`));
    const { [PORT_DATA]: _before, ...others } = row.externalIds;
    this.target.setExternalIds(device, data === null ? others : { ...others, [PORT_DATA]: data });
  }

  watch(listener: (event: DriverEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.stop?.();
    this.stop = undefined;
    this.connected = false;
    return Promise.resolve();
  }

  /** The next apply is refused with this problem, and nothing of it is done. May be said several times. */
  failNextApply(refusal: Problem = problem('unavailable', 'the switch does not answer')): void {
    this.refusals.push(refusal);
  }

  /** The connection breaks: everything is refused until `reconnect`. */
  disconnect(reason: string): void {
    if (!this.connected) return;
    this.connected = false;
    this.tell({ kind: 'down', reason });
  }

  reconnect(): void {
    if (this.connected) return;
    this.connected = true;
    queueMicrotask(() => this.connected && this.tell({ kind: 'up' }));
  }

  /** Answers come in a later turn, as from any other process. */
  private async turn(): Promise<void> {
    await Promise.resolve();
    if (!this.connected) throw new ProblemError(problem('unavailable', 'the switch is not connected'));
  }

  private tell(event: DriverEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}
