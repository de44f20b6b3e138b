import { type Clock, type HostName } from '#kernel';
import { type Compiled, type Desired, type LocalFacts } from '#compiler';
import { type DriverEvent, type Observation } from '#openflow';
import { type OvsDriver } from '#ovs';
import { packetIns } from '../../../apps/host-agent/src/packet-ins.js';
import { type AgentService, type ServiceHost } from '../../../apps/host-agent/src/service.js';
import { snooping } from '../../../apps/host-agent/src/multicast/snooping.js';
import { NO_TEAMING, withLinks } from '../../../apps/host-agent/src/teaming/standing.js';

/** Time that only moves when told; timers run when it passes them, in their order. */
class StandingClock implements Clock {
  private time = 1_000_000;
  private timers: { readonly at: number; readonly fn: () => void }[] = [];
  readonly now = (): number => this.time;
  readonly monotonic = (): number => this.time;

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.time + ms, fn };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.time = next.at;
      next.fn();
    }
    this.time = end;
  }
}

/** What an agent finds out beside the documents: who listens to which groups, and which links went down. */
export class HostAgent {
  private readonly clock = new StandingClock();
  private readonly service: AgentService;
  private readonly take: (event: Extract<DriverEvent, { kind: 'packet-in' }>) => void;
  private teaming = NO_TEAMING;
  private readonly sending = new Set<Promise<unknown>>();
  private last: Compiled | null = null;
  /** Another pass is wanted. */
  isKicked = false;
  /** It sent frames since this was last set back. */
  hasSent = false;

  /** `hears`: whether what the switch hands over is looked at. */
  constructor(
    host: HostName,
    private readonly driver: OvsDriver,
    private readonly hears: boolean,
  ) {
    const log = { info: () => undefined, warn: (fields: object, message: string) => fail(message, fields) };
    const { clock } = this;
    const of: ServiceHost = {
      ...{ host, clock, log, random: () => 0, compiled: () => this.last, observation: () => null },
      driver: this.counted(),
      record: (fact) => fail('a service records a fact', fact),
      memory: { teaming: NO_TEAMING },
      kick: () => (this.isKicked = true),
    };
    this.service = snooping(of);
    this.take = packetIns([this.service.frames ?? {}], { warn: () => undefined });
  }

  async facts(have: Observation, desired: Desired): Promise<Partial<LocalFacts>> {
    this.teaming = withLinks(this.teaming, desired.host.switches, have.interfaces);
    const { pins, passedOver, unhealthy } = this.teaming;
    return { ...(await this.service.facts?.(have, desired)), teaming: { pins, passedOver, unhealthy } };
  }

  noticed(event: DriverEvent): void {
    if (this.hears && event.kind === 'packet-in') this.take(event);
  }

  carriedOut(compiled: Compiled, have: Observation, desired: Desired): void {
    this.last = compiled;
    this.service.carriedOut?.(compiled, have, desired);
  }

  pass(ms: number): void {
    this.clock.advance(ms);
  }

  /** All that it had to send is out. */
  async sent(): Promise<void> {
    while (this.sending.size > 0) {
      await Promise.all(this.sending);
      // What waits behind a frame is sent when that one is out.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async close(): Promise<void> {
    await this.service.close?.();
  }

  private counted(): ServiceHost['driver'] {
    const { driver } = this;
    return {
      packetOut: (bridge, to, ...frames) => {
        this.hasSent = true;
        const out = driver.packetOut(bridge, to, ...frames);
        this.sending.add(out);
        return out.finally(() => this.sending.delete(out));
      },
      portStats: (bridge) => driver.portStats(bridge),
      flowStats: (bridge, cookie, mask) => driver.flowStats(bridge, cookie, mask),
      meterStats: (bridge, ids) => driver.meterStats(bridge, ids),
      connections: (zone) => driver.connections(zone),
      ignoreSequences: () => driver.ignoreSequences(),
      interfaces: () => driver.interfaces(),
      setPortData: (...of) => driver.setPortData(...of),
    };
  }
}

function fail(what: string, fields: object): never {
  throw new Error(`${what}: ${JSON.stringify(fields)}`);
}
