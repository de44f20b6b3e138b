import { type Clock } from '#kernel';
import { diff, order, type DriverEvent, type MeterStats } from '#openflow';
import { SimulatedDriver, SimulatedSwitch, type SwitchOptions } from '#simulated-switch';
import { compile } from '../compile.js';
import { desiredOf, factsOf, mac, type HostSpec } from '../documents.fixture.js';
import { decodeNotice, type Notice } from '../notice.js';
import { type Compiled, type LocalFacts } from '../types.js';

export class ManualClock implements Clock {
  private time = 1_000;
  now = (): number => this.time;
  monotonic = (): number => this.time;
  after = (): (() => void) => () => undefined;
  advance(ms: number): void {
    this.time += ms;
  }
}

/** One host: documents in, frames through. */
export class TestHost {
  readonly switch: SimulatedSwitch;
  readonly driver: SimulatedDriver;
  readonly received = new Map<string, Uint8Array[]>();
  readonly notices: Notice[] = [];
  readonly events: DriverEvent[] = [];
  compiled!: Compiled;

  constructor(
    readonly name: string,
    readonly clock: ManualClock,
    options: SwitchOptions = {},
  ) {
    this.switch = new SimulatedSwitch({ clock, ...options });
    this.driver = new SimulatedDriver(this.switch);
    this.switch.onTransmit((to, f) => this.received.set(to, [...(this.received.get(to) ?? []), f]));
    this.driver.watch((event) => {
      this.events.push(event);
      if (event.kind !== 'packet-in') return;
      const notice = decodeNotice(event.userdata);
      if (notice.ok) this.notices.push(notice.value);
    });
  }

  /** Makes the switch what the documents say; taps of all ports are plugged unless said otherwise. */
  async become(
    spec: HostSpec,
    local: Partial<LocalFacts> = {},
    plug: readonly number[] | null = null,
  ): Promise<Compiled> {
    await this.driver.start();
    const desired = desiredOf({ host: this.name, ...spec });
    const facts = (): LocalFacts => ({ ...factsOf(desired), ...local, interfaces: this.switch.interfaces() });
    await this.converge(() => compile(desired, facts()));
    const plugged = new Set(this.switch.interfaces().map((i) => i.name));
    for (const port of desired.ports) {
      const n = Number(port.port.slice(1));
      if (plugged.has(`tap${n}`) || (plug !== null && !plug.includes(n))) continue;
      const binding = this.compiled.bindings.find((b) => b.port === port.port);
      const externalIds = { 'iface-id': `if-${n}`, 'attached-mac': mac(n) };
      if (binding !== undefined)
        this.switch.addInterface({ bridge: binding.bridge, name: `tap${n}`, externalIds });
    }
    await this.converge(() => compile(desired, facts()));
    return this.compiled;
  }

  private async converge(recompile: () => Compiled): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) {
      this.compiled = recompile();
      const { state } = this.compiled;
      const purge = state.bridges.map((b) => b.name);
      const steps = order(diff(state, await this.driver.read()), { purge: turn === 0 ? [] : purge });
      for (const step of steps) await this.driver.apply(step);
      if (steps.every((s) => s.kind === 'purge')) return;
    }
    throw new Error('the switch does not become what is wanted');
  }

  send(n: number, ...frames: readonly Uint8Array[]): void {
    for (const f of frames) this.switch.inject(`tap${n}`, f);
  }

  got(n: number): readonly Uint8Array[] {
    return this.received.get(`tap${n}`) ?? [];
  }

  wire(device = 'eth0'): readonly Uint8Array[] {
    return this.received.get(device) ?? [];
  }

  /** Packets that a port's count meters counted: [in, out] as unicast, multicast, broadcast. */
  async counts(n: number): Promise<[number[], number[]]> {
    const binding = this.compiled.bindings.find((b) => b.port === `p${n}`);
    if (binding === undefined) return [[], []];
    const read = async (ids: readonly number[]): Promise<number[]> => {
      const stats = await this.driver.meterStats(binding.bridge, ids);
      return stats.map((s: MeterStats) => Number(s.packetsIn));
    };
    const { in: i, out: o } = binding.meters;
    return [
      await read([i.unicast, i.multicast, i.broadcast]),
      await read([o.unicast, o.multicast, o.broadcast]),
    ];
  }

  forget(): void {
    this.received.clear();
  }
}

/** Joins the same uplink of all hosts, as one physical segment would. */
export function join(hosts: readonly TestHost[], devices: readonly string[] = ['eth0']): void {
  for (const host of hosts) {
    host.switch.onTransmit((name, f) => {
      if (!devices.includes(name)) return;
      for (const peer of hosts) if (peer !== host) peer.switch.inject(name, f);
    });
  }
}

/** Lets events that are on their way arrive. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
