import { unwrap, type Epoch, type HostName, type MigrationId, type PortId } from '#kernel';
import { NO_FEATURES, NO_FILTER, USUAL_TIER, type Command, type DomainEvent, type Fact } from '#domain';
import { type Accepted } from '#event-store';
import { type ClusterSequencer } from './cluster-log.js';
import { pump } from './pump.js';

/** How large the cluster is; every VM has one vNIC. */
export interface LifeSize {
  readonly hosts: number;
  readonly ports: number;
  readonly groups: number;
}

/** A guest as its cluster knows it by now. */
interface Vm {
  readonly n: number;
  host: number;
  epoch: number;
  /** Counter incarnations that it had. */
  incarnation: number;
  /** What its meters say. */
  packets: number;
  port: PortId;
  plugged: boolean;
}

/** What a commit of the workload is of: the bench tells their sizes apart. */
export type Deed = 'build' | 'policy' | 'binding' | 'migration' | 'ledger' | 'realised' | 'drift';

export interface Asked {
  readonly deed: Deed;
  readonly commandId: string;
  readonly actor: string;
  readonly subject: string;
  readonly reason?: string;
  readonly command: Command;
}

const SWITCH = 'prod';
const UNDER_WAY = 100;
const FILTERS = 6;
/** Of a hundred turns that begin something, one of these begins. Most of what a log holds is migrations. */
const MIX: readonly (readonly [number, Exclude<Deed, 'build'>])[] = [
  [30, 'migration'],
  [55, 'policy'],
  [80, 'binding'],
  [95, 'ledger'],
  [98, 'realised'],
  [100, 'drift'],
];

const hostName = (n: number): HostName => `host-${n}` as HostName;
const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
/** Ids of the length that hypervisors and services give them. */
const uuid = (kind: number, n: number): string => `${hex(kind, 8)}-5f3e-4a21-9c07-${hex(n, 12)}`;

/**
 * The life of a cluster as commands, always the same for the same size: guests plugged in and out, moved, policies
 * changed, counters rolled over. Each is one that the rules accept, so what comes to stand in the log is a log's.
 */
export class ClusterLife {
  readonly #vms: Vm[] = [];
  readonly #seqs: number[];
  /** Steps that go on with what was begun. */
  readonly #going: (() => Asked | null)[] = [];
  #begun = 0;
  #commands = 0;
  #migrations = 0;
  #revision = 0;
  #seed = 0x2545f491;

  constructor(readonly size: LifeSize) {
    this.#seqs = Array.from({ length: size.hosts }, () => 0);
  }

  /** Hosts, the switch, its groups, and every guest plugged in and counted. */
  async build(sequencer: ClusterSequencer): Promise<void> {
    for (const resources of this.#manifests()) {
      const asked = this.#operator('build', 'manifest', { type: 'Apply', resources } as unknown as Command);
      unwrap(await sequencer.submit(asked));
    }
    const { hosts, ports } = this.size;
    for (let n = 0; n < ports; n++)
      this.#vms.push({
        n,
        host: n % hosts,
        epoch: 1,
        incarnation: 1,
        packets: 0,
        port: '' as PortId,
        plugged: true,
      });
    const of = this.#byHost();
    await pump(hosts, 50, async (h) => {
      const vms = of.get(h) ?? [];
      for (let at = 0; at < vms.length; at += 50) await this.#plugAll(sequencer, h, vms.slice(at, at + 50));
    });
  }

  /** Every switch is restarted: a segment more for every port. */
  async rollOverAll(sequencer: ClusterSequencer): Promise<void> {
    const of = this.#byHost();
    await pump(this.size.hosts, 50, async (h) => {
      const vms = of.get(h) ?? [];
      const closed = vms.map((vm) =>
        this.#segment('SegmentClosed', Object.assign(vm, { packets: vm.packets + 1_000 })),
      );
      for (const vm of vms) Object.assign(vm, { packets: 0, incarnation: vm.incarnation + 1 });
      const opened = vms.map((vm) => this.#segment('SegmentOpened', vm));
      unwrap(await sequencer.submit(this.#facts('ledger', h, [...closed, ...opened])));
    });
  }

  /** What happens next, at a revision: hosts are taken to have realised all up to there. */
  next(revision: number): Asked {
    this.#revision = revision;
    for (;;) {
      const going = this.#going.length >= UNDER_WAY || (this.#going.length > 0 && this.#random(8) > 0);
      if (!going) {
        const first = this.#begin();
        if (first !== null) return first;
        continue;
      }
      const at = this.#random(this.#going.length);
      const asked = this.#going[at]!();
      if (asked !== null) return asked;
      this.#going[at] = this.#going.at(-1)!;
      this.#going.pop();
    }
  }

  #byHost(): Map<number, Vm[]> {
    const of = new Map<number, Vm[]>();
    for (const vm of this.#vms) of.set(vm.host, [...(of.get(vm.host) ?? []), vm]);
    return of;
  }

  #manifests(): object[][] {
    const { hosts, groups, ports } = this.size;
    const all = Array.from({ length: hosts }, (_, n) => hostName(n));
    const resource = (kind: string, name: string, spec: object) => ({ kind, name, spec });
    const defined = all.map((name, n) =>
      resource('Host', name, {
        labels: { rack: `r${n % 40}`, zone: `z${n % 3}` },
        managementPath: 'eno1',
        preload: [],
        maintenance: false,
        migrationLimit: 1000,
        foreignFlows: 'report',
      }),
    );
    const members = Object.fromEntries(all.map((h) => [h, { uplink1: 'ens1f0', uplink2: 'ens1f1' }]));
    const spec = { uplinks: ['uplink1', 'uplink2'], mtu: 1500, policy: {}, members, ...NO_FEATURES };
    const list = Array.from({ length: groups }, (_, g) =>
      resource('PortGroup', `group-${g}`, this.#group(g, Math.ceil(ports / groups), 0)),
    );
    const manifests = [[...defined, resource('DistributedSwitch', SWITCH, spec)]];
    for (let at = 0; at < groups; at += 100) manifests.push(list.slice(at, at + 100));
    return manifests;
  }

  #group(g: number, ports: number, version: number): object {
    return {
      switch: SWITCH,
      binding: 'static',
      ports,
      overridable: ['blocked', 'shapingOut'],
      policy: {
        vlan: { mode: 'access', id: 1 + (g % 4000) },
        filter: {
          ...NO_FILTER,
          rules: Array.from({ length: FILTERS }, (_, i) => ({
            tier: USUAL_TIER,
            enabled: true,
            name: `rule-${i}`,
            direction: i % 2 === 0 ? 'in' : 'out',
            action: i === FILTERS - 1 ? 'drop' : 'allow',
            match: { ipProtocol: 6, dstPort: { from: 1000 + i, to: 1000 + i + version } },
          })),
        },
      },
      autoExpand: true,
      autoShrink: false,
      resetAtDisconnect: false,
      partitionPolicy: 'keep',
      startOffline: false,
    };
  }

  async #plugAll(sequencer: ClusterSequencer, h: number, vms: readonly Vm[]): Promise<void> {
    const plugged = unwrap(
      await sequencer.submit(
        this.#facts(
          'build',
          h,
          vms.map((vm) => this.#plug(vm)),
        ),
      ),
    );
    for (const e of plugged.events) {
      if (e.type === 'PortConnected') this.#vms[Number(e.connectee.owner.slice(3))]!.port = e.port;
    }
    unwrap(
      await sequencer.submit(
        this.#facts(
          'build',
          h,
          vms.map((vm) => this.#segment('SegmentOpened', vm)),
        ),
      ),
    );
  }

  #begin(): Asked | null {
    this.#begun++;
    const turn = this.#random(100);
    const deed = MIX.find(([below]) => turn < below)![1];
    if (deed === 'policy') return this.#policy();
    if (deed === 'realised') return this.#realised();
    if (deed === 'drift') return this.#drift();
    const vm = this.#vms[this.#random(this.#vms.length)]!;
    if (!vm.plugged) return null;
    vm.plugged = false;
    const steps =
      deed === 'migration' ? this.#migrate(vm) : deed === 'binding' ? this.#replug(vm) : this.#rollOver(vm);
    this.#going.push(() => steps.next().value ?? null);
    return null;
  }

  #policy(): Asked {
    const g = this.#random(this.size.groups);
    if (this.#random(2) === 0) {
      const { port } = this.#vms[this.#random(this.#vms.length)]!;
      const shapingOut = { average: 1_000_000 + this.#commands, peak: 2_000_000_000, burst: 4_000_000 };
      const command: Command = { type: 'SetPort', port, override: { shapingOut } };
      return this.#operator('policy', `Port/${port}`, command);
    }
    const ports = Math.ceil(this.size.ports / this.size.groups);
    const spec = this.#group(g, ports, 1 + (this.#commands % 50_000));
    const resources = [{ kind: 'PortGroup', name: `group-${g}`, spec }];
    return this.#operator('policy', `PortGroup/group-${g}`, {
      type: 'Apply',
      resources,
    } as unknown as Command);
  }

  #realised(): Asked {
    const upTo = this.#revision;
    const command: Command = { type: 'RecordRealised', upTo, hosts: this.size.hosts };
    return {
      ...this.#asked('realised', 'manager-1', 'cluster', command),
      commandId: `realised:${uuid(9, 1)}:${upTo}`,
    };
  }

  #drift(): Asked {
    const h = this.#random(this.size.hosts);
    const differences = [{ field: 'priority', expected: '100', found: 'absent' }];
    const object = `flow/table=20,cookie=0x${hex(this.#commands, 16)}`;
    return this.#facts('drift', h, [{ type: 'Drift', object, differences, repaired: true, durationMs: 412 }]);
  }

  *#migrate(vm: Vm): Generator<Asked, null> {
    const source = vm.host;
    const destination = (source + 1 + this.#random(this.size.hosts - 1)) % this.size.hosts;
    const id = `m${++this.#migrations}` as MigrationId;
    const owner = `vm-${vm.n}`;
    const start: Command = { type: 'StartMigration', owner, destination: hostName(destination) };
    yield { ...this.#operator('migration', `VM/${owner}`, start), reason: 'rebalancing the cluster' };
    const coordinator = (
      episode: number,
      from: 'admitted' | 'prepared',
      to: 'prepared' | 'moving',
    ): Asked => ({
      ...this.#asked('migration', 'coordinator-1', `Migration/${id}`, {
        type: 'AdvanceMigration',
        migration: id,
        episode,
        from,
        to,
        evidence: { [hostName(source)]: this.#revision, [hostName(destination)]: this.#revision },
      }),
      commandId: `migration:${id}:${episode}:${to}`,
    });
    yield coordinator(1, 'admitted', 'prepared');
    yield coordinator(2, 'prepared', 'moving');
    const before = { ...vm };
    Object.assign(vm, {
      host: destination,
      epoch: vm.epoch + 1,
      packets: 0,
      incarnation: vm.incarnation + 1,
    });
    yield this.#facts('migration', destination, [this.#plug(vm), this.#segment('SegmentOpened', vm)]);
    yield this.#facts('migration', destination, [
      { type: 'PortActivated', port: vm.port, epoch: vm.epoch as Epoch },
    ]);
    before.packets += 90_000;
    yield this.#facts('migration', source, [
      { type: 'HypervisorMigration', migration: id, attempt: 1, outcome: 'completed' },
      { type: 'InterfaceUnplugged', ifaceId: this.#iface(vm) },
    ]);
    yield this.#facts('migration', source, [this.#segment('SegmentClosed', before)]);
    vm.plugged = true;
    return null;
  }

  *#replug(vm: Vm): Generator<Asked, null> {
    vm.packets += 50_000;
    yield this.#facts('binding', vm.host, [
      { type: 'InterfaceUnplugged', ifaceId: this.#iface(vm) },
      this.#segment('SegmentClosed', vm),
    ]);
    Object.assign(vm, { epoch: vm.epoch + 1, packets: 0, incarnation: vm.incarnation + 1 });
    // The group gives it the port that is free: nobody else of the group is between ports, or the wrong one is named.
    yield this.#connect(vm);
    yield this.#facts('binding', vm.host, [this.#plug(vm)]);
    yield this.#facts('binding', vm.host, [this.#segment('SegmentOpened', vm)]);
    vm.plugged = true;
    return null;
  }

  #connect(vm: Vm): Asked {
    const connectee = {
      kind: 'vm',
      ifaceId: this.#iface(vm),
      mac: this.#mac(vm),
      owner: `vm-${vm.n}`,
    } as const;
    const command: Command = { type: 'ConnectPort', group: this.#groupOf(vm), port: vm.port, connectee };
    return this.#operator('binding', `Port/${vm.port}`, command);
  }

  /** The switch of a host was restarted: what it counted ends, at a checkpoint every other time. */
  *#rollOver(vm: Vm): Generator<Asked, null> {
    vm.packets += 70_000;
    const closed = this.#segment('SegmentClosed', vm);
    const checkpointAt = 1_800_000_000_000 + this.#commands;
    const inexact = { checkpointAt, reason: 'the switch was restarted' };
    const close = this.#random(2) === 0 ? closed : ({ ...closed, inexact } as Fact);
    Object.assign(vm, { packets: 0, incarnation: vm.incarnation + 1 });
    yield this.#facts('ledger', vm.host, [close, this.#segment('SegmentOpened', vm)]);
    vm.plugged = true;
    return null;
  }

  #plug(vm: Vm): Fact {
    return {
      type: 'InterfacePlugged',
      interface: {
        ifaceId: this.#iface(vm),
        mac: this.#mac(vm),
        profile: this.#groupOf(vm),
        owner: `vm-${vm.n}`,
        kind: 'vm',
        switch: SWITCH,
      },
    };
  }

  #segment(type: 'SegmentOpened' | 'SegmentClosed', vm: Vm): Fact {
    const some = (packets: number) => ({ packets, bytes: packets * 812 });
    const direction = () => ({
      unicast: some(vm.packets),
      multicast: some(vm.packets >> 6),
      broadcast: some(vm.packets >> 8),
    });
    const raw = { in: direction(), out: direction() };
    const incarnation = uuid(vm.n, vm.incarnation);
    return { type, port: vm.port, epoch: vm.epoch as Epoch, incarnation, raw };
  }

  #facts(deed: Deed, h: number, facts: readonly Fact[]): Asked {
    const at = 1_800_000_000_000 + this.#commands;
    const numbered = facts.map((fact) => ({ seq: ++this.#seqs[h]!, at, fact }));
    const host = hostName(h);
    const boot = `${uuid(7, h)}.mwrryqe8`;
    const id = `facts:${host}:${boot}:${numbered[0]!.seq}-${numbered.at(-1)!.seq}:${this.#commands}`;
    const command: Command = {
      type: 'IngestFacts',
      host,
      boot,
      after: numbered[0]!.seq - 1,
      facts: numbered,
    };
    return { ...this.#asked(deed, `host:${host}`, `Host/${host}`, command), commandId: id };
  }

  #operator(deed: Deed, subject: string, command: Command): Asked {
    return this.#asked(deed, 'operator', subject, command);
  }

  #asked(deed: Deed, actor: string, subject: string, command: Command): Asked {
    return { deed, commandId: uuid(1, ++this.#commands), actor, subject, command };
  }

  #iface = (vm: Vm): string => uuid(2, vm.n);
  #mac = (vm: Vm): string => hex(0x020000000000 + vm.n, 12).replace(/(..)(?!$)/g, '$1:');
  #groupOf = (vm: Vm): string => `group-${vm.n % this.size.groups}`;

  /** The same numbers every time. */
  #random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0;
    return (this.#seed >>> 8) % below;
  }
}

/** A day in seconds: what the bench's clock goes on by, spread over its commits. */
export const COMMITS_A_DAY = 100_000;

/** Plays on until so many more are committed; tells of each. Throws at the first that is refused. */
export async function live(
  life: ClusterLife,
  sequencer: ClusterSequencer,
  commits: number,
  onCommit: (asked: Asked, answer: Accepted<DomainEvent>) => void = () => undefined,
): Promise<number> {
  return pump(commits, 1000, async () => {
    const asked = life.next(sequencer.state.revision);
    const answer = await sequencer.submit(asked);
    if (!answer.ok)
      throw new Error(`${asked.deed} was refused: ${JSON.stringify([answer.error, asked.command])}`);
    onCommit(asked, answer.value);
  });
}
