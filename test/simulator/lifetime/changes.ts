import { hasEnded, type Command } from '#domain';
import { type Guest } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { type LifeWorld } from './world.js';

/** What is not more than so many at a time: old things go before new ones come. */
const MOST = { switches: 3, groups: 6, guests: 8, visitors: 2 };

/** Makes random changes, each under a name that never was before, and knows what stands. */
export class Changes {
  readonly switches = new Set<string>();
  readonly groups = new Map<string, string>();
  /** Hosts that are only defined: nobody runs there. */
  readonly visitors = new Set<string>();
  readonly done = new Map<string, number>();
  made = 0;

  constructor(private readonly world: LifeWorld) {}

  /** One change, and a moment for it to come about. */
  async one(): Promise<void> {
    const { random } = this.world;
    this.made += 1;
    await this.change(random.below(100));
    await this.world.wait(random.chance(0.02) ? random.between(500, 3_000) : random.between(0, 60));
  }

  private change(dice: number): Promise<void> {
    if (dice < 3) return this.switchComesOrGoes();
    if (dice < 11) return this.groupComesOrGoes();
    if (dice < 14) return this.visitorComesOrGoes();
    if (dice < 28) return this.groupChanges();
    if (dice < 52) return this.guestComes();
    if (dice < 68) return this.guestGoes();
    if (dice < 74) return this.portChanges();
    if (dice < 88) return this.guestMoves();
    if (dice < 92) return this.connects();
    if (dice < 94) return this.hostLeaves();
    if (dice < 96) return this.serviceRestarts();
    if (dice < 97) return this.drifts();
    return this.disconnects();
  }

  private count(what: string): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
  }

  private async ask(what: string, command: Command): Promise<boolean> {
    const answer = await this.world.ask(command);
    this.count(answer.ok ? what : `${what}, refused`);
    return answer.ok;
  }

  private async apply(what: string, resource: object): Promise<boolean> {
    const answer = await this.world.apply(resource);
    this.count(answer.ok ? what : `${what}, refused`);
    return answer.ok;
  }

  private pick<T>(items: Iterable<T>): T | undefined {
    const all = [...items];
    return all.length === 0 ? undefined : this.world.random.pick(all);
  }

  // --- what operators do ---

  private async switchComesOrGoes(): Promise<void> {
    const { world, switches } = this;
    const old = this.pick(switches);
    if (old !== undefined && switches.size >= MOST.switches) {
      for (const [name, lan] of [...this.groups]) if (lan === old) await this.groupGoes(name);
      return;
    }
    const name = `s${this.made}`;
    // A pNIC is in one switch only: the first that stands has it.
    const members = [...world.machines.keys()].map((h) => [
      h,
      switches.size === 0 ? { uplink1: 'eth0' } : {},
    ]);
    const spec = { uplinks: ['uplink1'], members: Object.fromEntries(members) as object };
    if (await this.apply('switch', { kind: 'DistributedSwitch', name, spec })) switches.add(name);
  }

  private async groupComesOrGoes(): Promise<void> {
    const name = this.pick(this.groups.keys());
    if (name !== undefined && this.groups.size >= MOST.groups) return this.groupGoes(name);
    const lan = this.pick(this.switches);
    if (lan === undefined) return this.switchComesOrGoes();
    const group = `g${this.made}`;
    if (await this.apply('group', this.group(group, lan))) this.groups.set(group, lan);
  }

  private group(name: string, lan: string, ephemeral = this.world.random.chance(0.5)): object {
    const { random } = this.world;
    const vlan = { mode: 'access', id: 10 + random.below(20) };
    const shaping = random.chance(0.5)
      ? { shapingIn: { average: 10_000_000, peak: 20_000_000, burst: 2_000_000 } }
      : {};
    const policy = { vlan, ...(random.chance(0.1) ? { blocked: true } : {}), ...shaping };
    const size = ephemeral ? { binding: 'ephemeral', ports: 0 } : { ports: 3, autoExpand: true };
    return { kind: 'PortGroup', name, spec: { switch: lan, overridable: ['blocked'], policy, ...size } };
  }

  /** With ports in use it closes, and goes with the last of them. */
  async groupGoes(name: string): Promise<void> {
    const { world } = this;
    if (await this.ask('group deleted', { type: 'Delete', kind: 'PortGroup', name }))
      this.groups.delete(name);
    if (world.state.groups.has(name as never)) this.count('group closing');
    for (const guest of [...world.guests.values()])
      if (guest.nics[0]?.spec.profile === name && world.random.chance(0.7)) await this.retire(guest);
  }

  private async groupChanges(): Promise<void> {
    const name = this.pick(this.groups.keys());
    const group = name === undefined ? undefined : this.world.state.groups.get(name as never);
    if (name === undefined || group === undefined) return this.groupComesOrGoes();
    await this.apply('group changed', this.group(name, group.switch, group.binding === 'ephemeral'));
  }

  private async visitorComesOrGoes(): Promise<void> {
    const old = this.pick(this.visitors);
    if (old !== undefined && this.visitors.size >= MOST.visitors) return this.visitorGoes(old);
    const name = `visitor${this.made}`;
    if (await this.apply('host', { kind: 'Host', name, spec: { labels: { rack: `${this.made}` } } }))
      this.visitors.add(name);
  }

  async visitorGoes(name: string): Promise<void> {
    if (await this.ask('host removed', { type: 'Delete', kind: 'Host', name })) this.visitors.delete(name);
  }

  private async portChanges(): Promise<void> {
    const port = this.pick(this.world.state.byIface.values());
    if (port === undefined) return;
    await this.ask('port', { type: 'SetPort', port, override: { blocked: this.world.random.chance(0.5) } });
  }

  /** A port is taken for a guest that is not there yet, and may never be. */
  private async connects(): Promise<void> {
    const group = this.pick(this.groups.keys());
    if (group === undefined) return;
    const n = `${this.made}`.padStart(8, '0');
    const mac = `06:00:${n.slice(0, 2)}:${n.slice(2, 4)}:${n.slice(4, 6)}:${n.slice(6, 8)}`;
    const connectee = { kind: 'vm', ifaceId: `ahead-${this.made}`, mac, owner: `ahead${this.made}` } as const;
    await this.ask('connected ahead', { type: 'ConnectPort', group, connectee });
  }

  private async disconnects(): Promise<void> {
    const free = [...this.world.state.byIface.values()].filter((id) => {
      const port = this.world.state.ports.get(id);
      const guest = this.world.guests.get(port?.connectee?.owner ?? '');
      return port?.active === null && (guest === undefined || guest.state === 'off');
    });
    const port = this.pick(free);
    if (port !== undefined) await this.ask('disconnected', { type: 'DisconnectPort', port });
  }

  /** A host is taken out of everything while nobody hears of it, and comes back. */
  private async hostLeaves(): Promise<void> {
    const { world } = this;
    const machine = this.pick(world.machines.values());
    if (machine === undefined) return;
    for (const guest of [...world.guests.values()])
      if (guest.machine === machine.name) await this.retire(guest);
    if ([...world.guests.values()].some((g) => g.moving)) return;
    await world.wait(1_000);
    const link = world.agents.get(machine.name)?.link;
    if (link === undefined) return;
    link.partitioned = true;
    link.changed();
    const out = await this.member(machine, false);
    const gone =
      out && (await this.ask('host removed', { type: 'Delete', kind: 'Host', name: machine.name }));
    await world.wait(world.random.between(0, 2_000));
    link.heal();
    if (!gone) return void (await this.member(machine, true));
    await world.wait(world.random.between(0, 2_000));
    await this.apply('host back', { kind: 'Host', name: machine.name, spec: {} });
    await this.member(machine, true);
  }

  /** In or out of every switch. */
  async member({ name }: Machine, isIn: boolean): Promise<boolean> {
    let all = true;
    for (const sw of [...this.world.state.switches.values()]) {
      const { [name as never]: _, ...others } = sw.members as Record<string, object>;
      const has = Object.values(others).some((uplinks) => Object.keys(uplinks).length > 0);
      const members = isIn ? { ...others, [name]: has ? { uplink1: 'eth0' } : {} } : others;
      const spec = { uplinks: sw.uplinks, members };
      all = (await this.apply('membership', { kind: 'DistributedSwitch', name: sw.name, spec })) && all;
    }
    return all;
  }

  private async serviceRestarts(): Promise<void> {
    const { world } = this;
    const { random } = world;
    if (random.chance(0.5)) {
      const i = random.below(world.managers.length);
      world.managers[i]?.process.kill();
      this.count('manager restarted');
      await world.wait(random.between(0, 500));
      return world.startManager(i);
    }
    const machine = this.pick(world.machines.values());
    if (machine === undefined) return;
    world.agents.get(machine.name)?.process.kill();
    this.count('agent restarted');
    await world.wait(random.between(0, 500));
    world.startAgent(machine.name);
  }

  /** Somebody deletes a flow by hand. */
  private drifts(): Promise<void> {
    this.pick(this.world.machines.values())?.deleteFlow();
    this.count('drift');
    return Promise.resolve();
  }

  // --- what guests do ---

  private async guestComes(): Promise<void> {
    const { world } = this;
    const off = [...world.guests.values()].find((g) => g.state === 'off' && !g.moving);
    const machine = this.pick(world.machines.values());
    if (machine === undefined) return;
    if (off !== undefined && world.random.chance(0.4)) {
      if (world.start(off, machine)) this.count('guest again');
      return;
    }
    if (world.guests.size >= MOST.guests) return this.guestGoes();
    const [group, lan] = this.pick(this.groups) ?? [];
    if (group === undefined || lan === undefined) return this.groupComesOrGoes();
    if (world.boot(group, lan, machine) !== null) this.count('guest');
  }

  private async guestGoes(): Promise<void> {
    const guest = this.pick([...this.world.guests.values()].filter((g) => !g.moving));
    if (guest === undefined) return;
    if (this.world.random.chance(0.3)) return this.retire(guest);
    this.world.stop(guest);
    this.count('guest stopped');
  }

  /** It is gone for good: what its port was held for is given back. */
  private async retire(guest: Guest): Promise<void> {
    const { world } = this;
    if (guest.moving) return;
    world.stop(guest);
    world.forget(guest);
    this.count('guest gone');
    await world.wait(world.random.between(0, 300));
    const port = world.portOf(guest);
    if (port !== undefined) await this.ask('disconnected', { type: 'DisconnectPort', port: port as never });
  }

  private async guestMoves(): Promise<void> {
    const { world } = this;
    const guest = this.pick([...world.guests.values()].filter((g) => g.state === 'running' && !g.moving));
    const to = this.pick(world.machines.values());
    const from = world.machines.get(guest?.machine ?? '');
    if (guest === undefined || to === undefined || from === undefined || to === from) return;
    const open = [...world.state.migrations.values()].find((m) => !hasEnded(m.phase));
    if (open !== undefined && world.random.chance(0.2)) {
      await this.ask('migration aborted', {
        type: 'AbortMigration',
        migration: open.id,
        reason: 'changed our mind',
      });
    } else if (world.random.chance(0.3)) {
      world.mover.migrate(guest.owner, from, to.name, null);
      this.count('migration by hand');
    } else {
      await this.ask('migration', {
        type: 'StartMigration',
        owner: guest.owner,
        destination: world.host(to.name),
      });
    }
  }
}
