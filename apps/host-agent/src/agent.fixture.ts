import { type Clock, type HostName, type Lineage, type Revision } from '#kernel';
import { NO_FEATURES, type Fact, type PolicyPatch, type SwitchFeatures } from '#domain';
import { type GroupDocument, type Report, type StateDocument } from '#contracts';
import { type DriverEvent, type Step } from '#openflow';
import { type Snapshot } from '#protocol';
import { SimulatedDriver, SimulatedSwitch } from '#simulated-switch';
import { Agent } from './agent.js';
import { FactJournal } from './facts/journal.js';
import { NoHypervisor } from './hypervisor/hypervisor.js';
import { type MakeService } from './service.js';
import { LocalMemory } from './state/local-memory.js';
import { emptyMemory, type AgentMemory } from './state/memory.js';

export const LINEAGE = '00000000-0000-4000-8000-000000000001' as Lineage;
export const BRIDGE = 'pt-lan';
export const mac = (n: number): string => `02:00:00:00:00:0${n}`;

/** Time that only moves when told; timers run when it passes them. */
export class ManualClock implements Clock {
  #time = 1_000_000;
  #timers: { readonly at: number; readonly fn: () => void }[] = [];
  now = (): number => this.#time;
  monotonic = (): number => this.#time;
  after = (ms: number, fn: () => void): (() => void) => {
    const timer = { at: this.#time + ms, fn };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((t) => t !== timer));
  };
  advance(ms: number): void {
    this.#time += ms;
    const due = this.#timers.filter((t) => t.at <= this.#time);
    this.#timers = this.#timers.filter((t) => t.at > this.#time);
    for (const { fn } of due) fn();
  }
}

export interface BindingSpec {
  readonly n: number;
  readonly epoch?: number;
  readonly role?: 'active' | 'standby' | 'retired';
  readonly token?: string;
  readonly override?: PolicyPatch;
}

export interface ViewOptions {
  /** Of the only uplink; absent: `eth0`. */
  readonly device?: string;
  readonly foreignFlows?: 'report' | 'remove';
  /** Of the switch. */
  readonly features?: Partial<SwitchFeatures>;
  /** Guests of the set of ports `peers`; absent: there is no such set. */
  readonly peers?: readonly number[];
  /** Of the group, beside its policy. */
  readonly group?: Partial<Pick<GroupDocument, 'partitionPolicy' | 'startOffline'>>;
}

/**
 * Documents of host `h1`, loosely built: switch `lan` on one uplink, group `web` whose ports may override some
 * fields, and these bindings.
 */
export function view(
  revision: number,
  bindings: readonly BindingSpec[],
  { device = 'eth0', foreignFlows = 'report', features = {}, group = {}, peers }: ViewOptions = {},
): Snapshot {
  const base = (key: string) => ({ schema: 1, key, lineage: LINEAGE, revision });
  const ports = bindings.map(({ n, epoch = 1, role = 'active', token, override = {} }) => ({
    ...base(`h.h1.port.p${n}`),
    type: 'port',
    port: `p${n}`,
    host: 'h1',
    switch: 'lan',
    group: 'web',
    minRevision: 1,
    epoch,
    role,
    connectee: { kind: 'vm', ifaceId: `if-${n}`, mac: mac(n), owner: `vm-${n}` },
    override,
    handover: token === undefined ? null : { migration: 'm1', token, epoch: epoch + 1 },
    lease: null,
  }));
  const documents = [
    {
      ...base('h.h1.host'),
      type: 'host',
      host: 'h1',
      switches: [{ switch: 'lan', uplinks: { uplink1: device } }],
      ports: ports.map((p) => p.port),
      groups: ['web'],
      managementPath: null,
      maintenance: false,
      foreignFlows,
      acceptedFactSeq: null,
      migrations: [],
      confirm: null,
    },
    {
      ...base('s.switch.lan'),
      type: 'switch',
      switch: 'lan',
      kind: 'distributed',
      uplinks: ['uplink1'],
      mtu: 1500,
      policy: {},
      ...NO_FEATURES,
      ...features,
    },
    {
      ...base('s.group.web'),
      type: 'group',
      group: 'web',
      switch: 'lan',
      policy: {},
      overridable: ['blocked', 'filter', 'macLearning', 'shapingIn', 'shapingOut', 'vlan'],
      binding: 'static',
      partitionPolicy: 'keep',
      startOffline: false,
      ...group,
      phase: 'open',
    },
    ...(peers === undefined ? [] : [setOf(base('s.set.peers'), peers)]),
    ...ports,
  ] as unknown as readonly StateDocument[];
  return {
    host: 'h1' as HostName,
    lineage: LINEAGE,
    received: revision as Revision,
    documents: new Map(documents.map((d) => [d.key, d])),
    faults: [],
    stale: false,
  };
}

const setOf = (base: object, guests: readonly number[]) => ({
  ...base,
  type: 'set',
  set: 'peers',
  members: { kind: 'ports', places: [{ switch: 'lan', vlan: { mode: 'none' }, macs: guests.map(mac) }] },
});

/** A simulated switch that outlives the agents that are started on it, as a real one does. */
export class AgentHost {
  readonly clock = new ManualClock();
  readonly switch: SimulatedSwitch;
  readonly out: { readonly name: string; readonly frame: Uint8Array }[] = [];
  readonly facts: Fact[] = [];
  readonly steps: Step[] = [];
  readonly warnings: string[] = [];
  reports: Pick<Report, 'lineage' | 'realised' | 'received' | 'exceptions'>[] = [];
  disk: AgentMemory = emptyMemory('boot');
  /** Whether the switch refuses to be changed. */
  fails = false;
  services: readonly MakeService[] = [];
  /** Called after each step that the switch carried out. */
  applied: () => void = () => undefined;
  /** Has the agent told something by the switch. */
  tell: (event: DriverEvent) => void = () => undefined;
  agent!: Agent;
  #ids = 0;

  constructor(devices: readonly string[] = ['eth0']) {
    this.switch = new SimulatedSwitch({ clock: this.clock, devices });
    this.switch.onTransmit((name, frame) => this.out.push({ name, frame }));
  }

  /** A run of the agent, with what an earlier one left on disk. */
  async start(held: Snapshot | null = null, boot = 'boot'): Promise<void> {
    const { clock } = this;
    const driver = new SimulatedDriver(this.switch);
    const watch = driver.watch.bind(driver);
    driver.watch = (listener) => {
      this.tell = listener;
      return watch(listener);
    };
    const apply = driver.apply.bind(driver);
    driver.apply = async (step) => {
      this.steps.push(step);
      if (this.fails) throw new Error('the switch is full');
      await apply(step);
      this.applied();
    };
    const memory = new LocalMemory(boot, structuredClone(this.disk), (m) => {
      this.disk = structuredClone(m);
      return Promise.resolve();
    });
    const journal = new FactJournal(
      'h1' as HostName,
      boot,
      (batch) => {
        this.facts.push(...batch.facts.map((f) => f.fact));
        return Promise.resolve(true);
      },
      () => Promise.resolve(),
      clock.now,
      clock.after,
      null,
    );
    this.agent = new Agent({
      host: 'h1' as HostName,
      boot,
      driver,
      hypervisor: new NoHypervisor(),
      journal,
      memory,
      clock,
      ids: { next: () => `${(this.#ids += 1)}` },
      log: { info: () => undefined, warn: (_, message) => void this.warnings.push(message) },
      report: (report) => this.reports.push(report),
      services: this.services,
    });
    await this.agent.start(held);
    await settle();
  }

  /** Documents come, and are carried out. */
  async become(revision: number, bindings: readonly BindingSpec[], options: ViewOptions = {}): Promise<void> {
    this.agent.documents(view(revision, bindings, options));
    await settle();
  }

  async plug(n: number): Promise<void> {
    const externalIds = { 'iface-id': `if-${n}`, 'attached-mac': mac(n), 'port-profile': 'web' };
    this.switch.addInterface({ bridge: BRIDGE, name: `tap${n}`, mac: mac(n), externalIds });
    await settle();
  }

  /** Frames of 60 octets from one guest to another. */
  async send(n: number, to: string, count = 1): Promise<void> {
    for (let i = 0; i < count; i += 1) this.switch.inject(`tap${n}`, frame(mac(n), to));
    await settle();
  }

  received(name: string): number {
    return this.out.filter((o) => o.name === name).length;
  }

  of<T extends Fact['type']>(type: T): Extract<Fact, { type: T }>[] {
    return this.facts.filter((f): f is Extract<Fact, { type: T }> => f.type === type);
  }
}

export function frame(from: string, to: string): Uint8Array {
  const bytes = Buffer.alloc(60);
  bytes.write(to.replaceAll(':', ''), 0, 'hex');
  bytes.write(from.replaceAll(':', ''), 6, 'hex');
  bytes.writeUInt16BE(0x88b5, 12);
  return new Uint8Array(bytes);
}

/** Lets everything that is under way in this process come to rest: nothing here waits for more than a turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
