import {
  type Epoch,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type Mac,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
  type VlanId,
  type Random,
} from '#kernel';
import {
  evolve,
  initialState,
  NO_FEATURES,
  NO_FILTER,
  usersOf,
  type DomainEvent,
  type Migration,
  type MigrationPhase,
  type PolicyPatch,
  type Port,
  type State,
} from '#domain';

export interface WorldCommit {
  readonly before: State;
  readonly after: State;
  readonly events: readonly DomainEvent[];
}

export const HOSTS = ['h0', 'h1', 'h2', 'h3'] as HostName[];
const GROUPS = ['g0', 'g1', 'g2'] as GroupName[];
const SETS = ['a', 'b', 'p', 'q'] as SetName[];
const SWITCHES = ['s0', 's1'] as SwitchName[];
export const lineageOf = (n: number): Lineage =>
  `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Lineage;

/** A log that writes itself: random commits that its own past allows, folded by the real `evolve`. */
export class World {
  state: State = initialState;
  private lineage = lineageOf(1);

  constructor(private readonly random: Random) {}

  /** One commit; a new lineage keeps the revisions going, as the sequencer does. */
  commit(): WorldCommit {
    const before = this.state;
    const events = before.revision === 0 ? this.beginning() : this.some();
    const meta = {
      lineage: this.lineage,
      revision: (before.revision + 1) as Revision,
      time: before.revision + 1,
    };
    let after: State = { ...before, ...meta };
    for (const event of events) after = evolve(after, event, meta);
    this.state = after;
    return { before, after, events };
  }

  newLineage(): void {
    this.lineage = lineageOf(Number(this.lineage.slice(-12)) + 1);
  }

  private beginning(): DomainEvent[] {
    return [
      ...HOSTS.map((h) => this.host(h)),
      ...SWITCHES.map((s) => this.switch(s)),
      ...GROUPS.map((g) => this.group(g)),
    ];
  }

  private some(): DomainEvent[] {
    const events: DomainEvent[] = [];
    for (let tries = 0; tries < 20 && events.length === 0; tries += 1) events.push(...this.one());
    return events;
  }

  private one(): DomainEvent[] {
    const { random, state } = this;
    const port = random.pick([...state.ports.values()].filter((p) => !p.deleted));
    const group = random.pick(GROUPS) as GroupName;
    const host = random.pick([...state.hosts.keys()]);
    switch (random.below(14)) {
      case 0:
        return [this.group(group)];
      case 1:
        return [this.switch(random.pick(SWITCHES) as SwitchName)];
      case 2:
        return [this.host(random.pick(HOSTS) as HostName)];
      case 3:
        return host === undefined ? [] : [{ type: 'FactsAccepted', host, boot: 'b1', seq: state.revision }];
      case 4:
        return host !== undefined && (state.byHost.get(host)?.size ?? 0) === 0
          ? [{ type: 'HostRemoved', name: host }]
          : [];
      case 5:
        return (state.byGroup.get(group)?.size ?? 0) === 0 && state.groups.has(group)
          ? [{ type: 'GroupDeleted', name: group }]
          : [];
      case 6:
      case 7:
        return host === undefined ? [] : this.plug(group, host);
      case 8:
        return this.migration();
      case 9:
      case 10:
        return this.set(random.pick(SETS) as SetName);
      default:
        return port === undefined ? [] : this.portEvent(port, host);
    }
  }

  private plug(group: GroupName, host: HostName): DomainEvent[] {
    const it = this.state.groups.get(group);
    if (it === undefined) return [];
    const port = `p${this.state.nextPort}` as PortId;
    const connectee = {
      kind: 'vm' as const,
      ifaceId: `if-${port}` as IfaceId,
      mac: `02:00:00:00:00:${(this.state.nextPort % 256).toString(16).padStart(2, '0')}` as Mac,
      owner: `vm-${port}`,
    };
    return [
      { type: 'PortCreated', port, group, switch: it.switch },
      { type: 'PortConnected', port, connectee },
      { type: 'PortBound', port, host, epoch: 1 as Epoch },
    ];
  }

  private portEvent(port: Port, to: HostName | undefined): DomainEvent[] {
    const { random } = this;
    const { id, active, standby, retiring } = port;
    const epoch = (port.epoch + 1) as Epoch;
    const old = random.pick(retiring);
    if (old !== undefined && random.chance(0.5)) return [{ type: 'BindingRetired', port: id, ...pair(old) }];
    if (standby !== null) {
      const type = random.chance(0.7) ? 'PortActivated' : 'StandbyRevoked';
      return [{ type, port: id, ...pair(standby) }];
    }
    const there = random.pick([...this.state.groups.values()].filter((g) => g.switch === port.switch));
    if (there !== undefined && there.name !== port.group && random.chance(0.2))
      return [{ type: 'PortMoved', port: id, group: there.name }];
    if (random.chance(0.3))
      return [
        { type: 'PortOverridden', port: id, override: { blocked: random.chance(0.5), ...this.filter() } },
      ];
    if (active !== null && to !== undefined && to !== active.host && random.chance(0.6)) {
      return [
        {
          type: 'StandbyGranted',
          port: id,
          standby: { host: to, epoch, migration: 'm1' as MigrationId },
        },
      ];
    }
    if (active !== null)
      return [
        { type: 'PortUnbound', port: id, ...pair(active) },
        { type: 'PortDisconnected', port: id },
      ];
    return retiring.length === 0 ? [{ type: 'PortDeleted', port: id }] : [];
  }

  private migration(): DomainEvent[] {
    const { random, state } = this;
    const last = random.pick([...state.migrations.values()]);
    const to = random.pick<MigrationPhase>([
      'prepared',
      'moving',
      'switched',
      'completed',
      'aborting',
      'aborted',
    ]);
    if (last !== undefined && to !== undefined && random.chance(0.7)) {
      const { id, phase, episode } = last;
      return [
        { type: 'MigrationAdvanced', migration: id, from: phase, to, episode: episode + 1, deadline: null },
      ];
    }
    const [source, destination] = [random.pick(HOSTS), random.pick(HOSTS)];
    if (source === undefined || destination === undefined || state.migrations.size > 3) return [];
    const migration: Migration = {
      id: `m${state.nextMigration}` as MigrationId,
      origin: random.chance(0.7) ? 'operator' : 'observed',
      owner: 'vm',
      source,
      destination,
      ports: [],
      phase: 'admitted',
      episode: 1,
      attempt: 1,
      outcome: null,
      deadline: null,
      history: [],
      requestedBy: 'test',
      reason: null,
    };
    return [{ type: 'MigrationStarted', migration }];
  }

  private host(name: HostName): DomainEvent {
    const preload = GROUPS.filter(() => this.random.chance(0.2));
    const maintenance = this.random.chance(0.3);
    return {
      type: 'HostDefined',
      name,
      spec: {
        labels: {},
        managementPath: null,
        preload,
        maintenance,
        migrationLimit: 2,
        foreignFlows: 'report',
      },
    };
  }

  private switch(name: SwitchName): DomainEvent {
    const members: Record<string, Record<string, string>> = {};
    for (const host of HOSTS) if (this.random.chance(0.8)) members[host] = { uplink1: 'eth1' };
    const mtu = 1500 + this.random.below(100);
    return {
      type: 'SwitchDefined',
      name,
      kind: 'distributed',
      spec: {
        uplinks: ['uplink1'],
        mtu,
        policy: { ...this.filter(), ...this.vlan() },
        members,
        ...NO_FEATURES,
      },
    };
  }

  /** Addresses by the first names, ports by the others. One goes only when no rule names it. */
  private set(name: SetName): DomainEvent[] {
    const { random, state } = this;
    if (state.sets.has(name) && random.chance(0.3))
      return usersOf(state, name).length === 0 ? [{ type: 'SetRemoved', name }] : [];
    const some = <T>(items: readonly T[]): T[] => items.filter(() => random.chance(0.5));
    if (name < 'p')
      return [
        { type: 'AddressSetDefined', name, spec: { addresses: some(['10.0.0.1', '10.0.0.0/8', '::1']) } },
      ];
    const ports = some(['p1', 'p2', 'p3'] as PortId[]);
    return [
      {
        type: 'PortSetDefined',
        name,
        spec: { groups: some(GROUPS), ports, owners: some(['vm-p1', 'vm-p4']) },
      },
    ];
  }

  /** Rules that name a set that is there. */
  private filter(): PolicyPatch {
    const srcSet = this.random.pick([...this.state.sets.keys()]);
    if (srcSet === undefined || this.random.chance(0.4)) return {};
    const rule = { direction: 'in', tier: 1, enabled: true, action: 'drop', match: { srcSet } } as const;
    return { filter: { ...NO_FILTER, rules: [{ name: 'r', ...rule }] } };
  }

  private vlan(): PolicyPatch {
    return this.random.chance(0.8)
      ? {}
      : { vlan: { mode: 'access', id: (1 + this.random.below(3)) as VlanId } };
  }

  private group(name: GroupName): DomainEvent {
    const spec = {
      switch: (this.random.chance(0.9) ? 's0' : 's1') as SwitchName,
      policy: { blocked: this.random.chance(0.5), ...this.filter(), ...this.vlan() },
      overridable: ['blocked' as const],
      binding: 'static' as const,
      ports: this.random.below(100),
      autoExpand: true,
      autoShrink: false,
      resetAtDisconnect: false,
      partitionPolicy: 'keep' as const,
      startOffline: false,
    };
    return { type: 'GroupDefined', name, spec };
  }
}

const pair = ({ host, epoch }: { host: HostName; epoch: Epoch }) => ({ host, epoch });
