import { type Clock } from '#kernel';
import { type RawCounters, type Segment } from '#domain';
import {
  type BesideLedger,
  type CounterSample,
  type DeviceCounts,
  type Report,
  type Telemetry,
} from '#contracts';
import { RuleLogStore } from './rule-log.js';

/** Two looks at the same counters: enough for a rate. */
export interface Sampled {
  readonly sample: CounterSample;
  /** ms, the host's clock: rates are differences within one host. */
  readonly time: number;
  readonly previous: { readonly raw: RawCounters; readonly time: number } | null;
}

/** Two looks at the device of an uplink. */
export interface DeviceLook {
  readonly now: DeviceCounts;
  readonly previous: DeviceCounts | null;
}

export interface HostLive {
  readonly report: Report | null;
  readonly telemetry: Telemetry | null;
  /** ms, monotonic: a clock that was set must neither bury hosts nor keep dead ones alive. */
  readonly seenAt: number;
  readonly samples: ReadonlyMap<string, Sampled>;
  readonly beside: ReadonlyMap<string, BesideLedger>;
  readonly devices: ReadonlyMap<string, DeviceLook>;
}

const NOTHING: HostLive = {
  report: null,
  telemetry: null,
  seenAt: 0,
  samples: new Map(),
  beside: new Map(),
  devices: new Map(),
};

/** Samples closer than this give rates that jump. */
const MIN_INTERVAL_MS = 200;
/** No message is later than this. */
const LATE_MS = 10_000;
/** More hosts than a cluster has are somebody's mistake or malice. */
const MAX_HOSTS = 5000;

/** The last that each host said of itself. Bounded by the number of hosts; nothing of it is in the log. */
export class LiveStore {
  private readonly hosts = new Map<string, HostLive>();

  readonly ruleLog: RuleLogStore;
  private listener: (telemetry: Telemetry) => void = () => undefined;

  constructor(private readonly clock: Clock) {
    this.ruleLog = new RuleLogStore(clock.now());
  }

  /** Told of every telemetry that was taken in. */
  onTelemetry(listener: (telemetry: Telemetry) => void): void {
    this.listener = listener;
  }

  host(name: string): HostLive | undefined {
    return this.hosts.get(name);
  }

  /** ms since it was last heard of; undefined: never. */
  silence(name: string): number | undefined {
    const seen = this.hosts.get(name);
    return seen === undefined ? undefined : this.clock.monotonic() - seen.seenAt;
  }

  takeReport(report: Report): void {
    this.put(report.host, { report });
  }

  takeTelemetry(telemetry: Telemetry): void {
    const before = this.hosts.get(telemetry.host);
    const early = before?.telemetry?.boot === telemetry.boot ? before.telemetry.time - telemetry.time : 0;
    // A late message must not turn rates around; but a clock that was set back must not silence its host.
    if (early > 0 && early < LATE_MS) return;
    this.ruleLog.take(telemetry);
    const samples = new Map<string, Sampled>();
    for (const sample of telemetry.counters) {
      const key = keyOf(sample.port, sample.epoch, sample.incarnation);
      const last = early > 0 ? undefined : before?.samples.get(key);
      samples.set(key, next(last, sample, telemetry.time));
    }
    const beside = new Map(telemetry.beside?.map((b) => [bindingOf(b.port, b.epoch), b]));
    const devices = new Map<string, DeviceLook>();
    for (const now of telemetry.devices ?? []) {
      const key = deviceOf(now.switch, now.device);
      devices.set(key, nextLook(early > 0 ? undefined : before?.devices.get(key), now));
    }
    this.put(telemetry.host, { telemetry, samples, beside, devices });
    this.listener(telemetry);
  }

  forget(host: string): void {
    this.hosts.delete(host);
  }

  sampled(port: string, segment: Pick<Segment, 'host' | 'epoch' | 'incarnation'>): Sampled | undefined {
    return this.hosts.get(segment.host)?.samples.get(keyOf(port, segment.epoch, segment.incarnation));
  }

  beside(port: string, { host, epoch }: Pick<Segment, 'host' | 'epoch'>): BesideLedger | undefined {
    return this.hosts.get(host)?.beside.get(bindingOf(port, epoch));
  }

  device(host: string, of: string, device: string): DeviceLook | undefined {
    return this.hosts.get(host)?.devices.get(deviceOf(of, device));
  }

  /** The one that was silent for the longest: hosts that were removed must not keep out those that come. */
  private forgetSilent(): void {
    let [oldest, seenAt] = ['', Number.POSITIVE_INFINITY];
    for (const [host, live] of this.hosts) if (live.seenAt < seenAt) [oldest, seenAt] = [host, live.seenAt];
    this.hosts.delete(oldest);
  }

  private put(host: string, change: Partial<HostLive>): void {
    const before = this.hosts.get(host);
    if (before === undefined && this.hosts.size >= MAX_HOSTS) this.forgetSilent();
    this.hosts.set(host, { ...(before ?? NOTHING), ...change, seenAt: this.clock.monotonic() });
  }
}

const bindingOf = (port: string, epoch: number): string => `${port} ${epoch}`;
const deviceOf = (of: string, device: string): string => `${of} ${device}`;

/** Agents look at devices less often than they tell. */
function nextLook(before: DeviceLook | undefined, now: DeviceCounts): DeviceLook {
  if (before === undefined) return { now, previous: null };
  return before.now.time === now.time ? before : { now, previous: before.now };
}

const keyOf = (port: string, epoch: number, incarnation: string): string => `${port} ${epoch} ${incarnation}`;

function next(before: Sampled | undefined, sample: CounterSample, time: number): Sampled {
  if (before === undefined) return { sample, time, previous: null };
  const base =
    time - before.time >= MIN_INTERVAL_MS ? { raw: before.sample.raw, time: before.time } : before.previous;
  return { sample, time, previous: base };
}
