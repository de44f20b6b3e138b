import { type Random } from '../engine/random.js';
import { type Machine } from '../host/machine.js';
import { type SimWorld } from './world.js';

/** Every host maps the one pNIC that it has. */
const UPLINKS = { uplink1: 'eth0' };

export const hostResource = (name: string): object => ({ kind: 'Host', name, spec: {} });

export const switchResource = (hosts: readonly string[]): object => ({
  kind: 'DistributedSwitch',
  name: 'lan',
  spec: { uplinks: ['uplink1'], members: Object.fromEntries(hosts.map((h) => [h, UPLINKS])) },
});

const members = (world: SimWorld): string[] =>
  Object.keys(world.auditor.state.switches.get('lan' as never)?.members ?? {});

/**
 * The operator takes a host out: its guests are stopped, or moved away, or forgotten about, and then the log refuses.
 * It may be cut off meanwhile. Later, or in the end, it is wanted again.
 */
export function leave(world: SimWorld, dice: Random, machine: Machine): void {
  const { name } = machine;
  if (dice.chance(0.8)) {
    for (const guest of world.guests.values()) {
      if (guest.machine !== name) continue;
      const other = dice.pick([...world.machines.values()]);
      if (dice.chance(0.5) || other === machine) world.shutdown(guest);
      else world.mover.migrate(guest.owner, machine, other.name, null);
    }
  }
  if (dice.chance(0.4)) {
    const cutOff = dice.between(0, 400);
    world.scheduler.in(cutOff, null, 'timer', () =>
      world.cutOff(name, world.agents.get(name)?.link, dice.between(500, 8_000)),
    );
  }
  const asked = dice.chance(0.5) ? dice.between(0, 300) : dice.between(300, 3_000);
  later(world, asked, () => remove(world, name));
  if (dice.chance(0.7)) later(world, asked + dice.between(100, 9_000), () => join(world, name));
}

/** The operator means to do something: until that is answered the story is not over. */
function later(world: SimWorld, ms: number, work: () => Promise<unknown>): void {
  world.asking += 1;
  world.scheduler.in(ms, null, 'timer', () => void work().finally(() => (world.asking -= 1)));
}

async function remove(world: SimWorld, name: string): Promise<void> {
  const without = members(world).filter((m) => m !== name);
  const left = await world.apply(switchResource(without));
  if (left?.ok === true) await world.command({ type: 'Delete', kind: 'Host', name });
}

async function join(world: SimWorld, name: string): Promise<void> {
  if (isBack(world, name)) return;
  const all = [...new Set([...members(world), name])].filter(
    (m) => m === name || world.auditor.state.hosts.has(m as never),
  );
  await world.apply(hostResource(name), switchResource(all));
}

const isBack = (world: SimWorld, name: string): boolean =>
  world.auditor.state.hosts.has(name as never) && members(world).includes(name);

/** Every host is wanted again in the end. Why that is not so yet, or null. */
export function allBack(world: SimWorld): string | null {
  const missing = [...world.machines.keys()].find((name) => !isBack(world, name));
  if (missing === undefined) return null;
  if (world.asking === 0) void join(world, missing);
  return `${missing} is not a host`;
}

/** Where a switch was taken out under them, guests run without it until somebody starts them anew. */
export function restartStranded(world: SimWorld): void {
  for (const guest of world.guests.values()) {
    const machine = world.machines.get(guest.machine ?? '');
    if (machine === undefined || guest.moving || guest.state !== 'running' || !machine.strands(guest))
      continue;
    world.shutdown(guest);
    world.boot(guest, machine);
  }
}
