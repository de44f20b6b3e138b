import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hasEnded } from '#domain';
import { Changes } from './changes.js';
import { sizesOf } from './sizes.js';
import { LifeWorld } from './world.js';

/** What stands when nothing does. */
export interface Standing {
  /** Of every collection that a service holds, by its place. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Bytes that live after a full collection. */
  readonly heap: number;
  /** On switches and in streams. */
  readonly outside: Readonly<Record<string, number>>;
}

const HOSTS = ['h1', 'h2'];
const CHANGES_A_DAY = 5_000;

/** A cluster that lives through many changes, and is empty again whenever it is measured. */
export class Life {
  readonly world: LifeWorld;
  readonly changes: Changes;
  private labelled = 0;

  constructor(seed: number) {
    this.world = new LifeWorld(seed, HOSTS);
    this.changes = new Changes(this.world);
  }

  async begin(): Promise<void> {
    const { world } = this;
    await world.until('a leader', 30_000, () =>
      world.managers.some((m) => m.manager.leads) ? null : 'none',
    );
    await world.apply(...HOSTS.map((name) => ({ kind: 'Host', name, spec: {} })));
  }

  async live(changes: number): Promise<void> {
    for (let i = 0; i < changes; i += 1) {
      await this.changes.one();
      if (this.changes.made % CHANGES_A_DAY === 0) await this.aDay();
    }
  }

  /** Takes out everything but the hosts, by the same commands as ever. */
  async empty(): Promise<void> {
    const { world, changes } = this;
    await world.until('hypervisors', 30_000, () =>
      [...world.guests.values()].some((g) => g.moving) ? 'a guest is being moved' : null,
    );
    for (const guest of [...world.guests.values()]) {
      world.stop(guest);
      world.forget(guest);
    }
    await world.until('migrations', 200_000, () => this.migrationsRun());
    await world.until('guests', 60_000, () => {
      const held = [...world.state.ports.values()].filter((p) => p.active !== null || p.retiring.length > 0);
      return held.length === 0
        ? null
        : `${held.map((p) => JSON.stringify([p.id, p.active, p.retiring])).join()} held`;
    });
    for (const id of [...world.state.byIface.values()]) await world.ask({ type: 'DisconnectPort', port: id });
    for (const name of [...changes.groups.keys()]) await changes.groupGoes(name);
    await world.until('groups', 10_000, () => (world.state.groups.size === 0 ? null : 'there are groups'));
    for (const sw of [...world.state.switches.values()])
      await world.ask({ type: 'Delete', kind: 'DistributedSwitch', name: sw.name });
    changes.switches.clear();
    for (const name of [...changes.visitors]) await changes.visitorGoes(name);
    await this.settle();
  }

  private migrationsRun(): string | null {
    const { world } = this;
    for (const m of world.state.migrations.values()) {
      if (hasEnded(m.phase)) continue;
      if (m.phase === 'unknown')
        void world.ask({ type: 'AbortMigration', migration: m.id, reason: 'the guest is gone' });
      return `${m.id} is ${m.phase}`;
    }
    return null;
  }

  /** Everything realised, told, swept, and a day gone by for what is kept for a day. */
  private async settle(): Promise<void> {
    const { world } = this;
    await world.until('hosts', 60_000, () => this.notQuiet());
    await this.aDay();
    for (let i = 0; i < 300; i += 1) await this.label();
    await world.wait(15_000);
    await world.until('hosts', 60_000, () => this.notQuiet());
    for (const machine of world.machines.values()) machine.attempts.clear();
  }

  /** After which answers to commands are forgotten. */
  private aDay(): Promise<void> {
    return this.world.dayPasses(() => this.label());
  }

  private label(): Promise<unknown> {
    this.labelled += 1;
    return this.world.apply({ kind: 'Host', name: 'h1', spec: { labels: { n: `${this.labelled % 2}` } } });
  }

  private notQuiet(): string | null {
    const { world } = this;
    for (const name of HOSTS) {
      const [agent, report] = [world.agents.get(name), world.reports.get(name)];
      if (report?.realised !== world.revision || report.exceptions.length > 0)
        return `${name} reports ${JSON.stringify(report)} at ${world.revision}`;
      if ((agent?.journal?.pending ?? 1) > 0) return `${name} has facts to tell`;
    }
    return world.facts.open > 0 ? 'facts wait' : null;
  }

  async measure(): Promise<Standing> {
    const { world } = this;
    const roots: Record<string, object> = {};
    // What several hold is told of the first: the leader, whichever it is.
    for (const leads of [true, false])
      for (const m of world.managers) if (m.manager.leads === leads) roots[leads ? 'leader' : 'standby'] = m;
    world.coordinators.forEach((c, i) => (roots[`coordinator${i + 1}`] = c));
    for (const name of HOSTS) roots[name] = world.agents.get(name) ?? {};
    const sizes = await sizesOf(roots);
    return { sizes, heap: liveBytes(), outside: this.outside() };
  }

  private outside(): Record<string, number> {
    const { server, machines } = this.world;
    const standing: Record<string, number> = { documents: server.docs.messages.size };
    for (const { name, switch: sw, disk } of machines.values()) {
      standing[`${name}: bridges`] = sw.bridges.size;
      for (const bridge of sw.bridges.values()) {
        standing[`${name}: flows`] = bridge.tables.flows(this.world.now).length;
        standing[`${name}: groups`] = bridge.tables.groups.size;
        standing[`${name}: meters`] = bridge.meters.size;
      }
      standing[`${name}: interfaces`] = sw.interfaces().length;
      for (const [file, text] of disk.files) standing[`${name}: ${file}`] = text.length;
    }
    return standing;
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function liveBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
