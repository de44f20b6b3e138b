import { type Random } from '../engine/random.js';
import { type Guest } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { comeBack, goDown } from './power.js';
import { type SimWorld } from './world.js';

/** What an HA manager waits before it starts guests of a host elsewhere: sooner, they would be taken for guests that move. */
const PATIENCE_MS = 9_000;
const LONGEST_MS = 75_000;
const AGAIN_MS = 100;
const TRIES = 100;

/**
 * A host is cut off from the centre for long, and its guests run on; its agent may be dead besides, or the host starts
 * anew meanwhile and its guests with it. An HA manager takes them for dead and starts them elsewhere: two of one guest.
 */
export function isolateHost(world: SimWorld, dice: Random, machine: Machine): void {
  const { name } = machine;
  if (machine.isDown || machine.cutOffAt !== null) return;
  world.scheduler.note(`   ! ${name} does not reach the centre any more`);
  const ms = dice.between(2 * PATIENCE_MS, LONGEST_MS);
  const at = (low: number, high: number, run: () => void): void =>
    void world.scheduler.in(dice.between(low, high), null, 'timer', run);
  const here = guestsAt(world, name);
  cutOff(world, machine, ms);
  const agent = world.agents.get(name)?.process;
  if (agent !== undefined && dice.chance(0.3)) {
    agent.freezeAt(1 + dice.below(60));
    at(PATIENCE_MS, ms, () => agent.wake());
  } else if (agent !== undefined && dice.chance(0.2)) {
    agent.kill();
    at(1, ms, () => world.startAgent(name));
  }
  if (dice.chance(0.3))
    at(500, ms, () => {
      // The story's end connects it earlier.
      if (machine.isDown || machine.cutOffAt === null) return;
      world.scheduler.note(`   ! ${name} reboots, cut off`);
      goDown(world, machine);
      at(200, 4_000, () => {
        comeBack(world, machine);
        startAgain(world, dice, here, machine);
      });
    });
  const others = [...world.machines.values()].filter((m) => m !== machine);
  for (const guest of here)
    if (dice.chance(0.8)) {
      const to = dice.pick(others);
      at(PATIENCE_MS, dice.chance(0.5) ? 2 * PATIENCE_MS : ms, () => {
        if (machine.cutOffAt !== null && !world.isCalm) startTwice(world, guest, to);
      });
    }
  world.lull = dice.chance(0.7) ? ms : 0;
}

/** A host that is back starts the guests that it had, wherever they are by now; it may not reach the centre yet. */
export function startAgain(world: SimWorld, dice: Random, guests: readonly Guest[], machine: Machine): void {
  for (const guest of guests) {
    if (!dice.chance(0.5) || world.isCalm) continue;
    if (guest.state === 'off') world.boot(guest, machine);
    else startTwice(world, guest, machine);
  }
}

/** Nobody who runs on the host reaches the message server; when that is over, who runs twice is found out. */
export function cutOff(world: SimWorld, machine: Machine, ms: number): void {
  const { name } = machine;
  machine.cutOffAt = world.now();
  world.agents.get(name)?.link.cut();
  world.scheduler.in(ms, null, 'timer', () => reconnect(world, machine));
}

export function reconnect(world: SimWorld, machine: Machine): void {
  if (machine.cutOffAt === null) return;
  machine.cutOffAt = null;
  world.scheduler.note(`   ! ${machine.name} reaches the centre again`);
  world.agents.get(machine.name)?.link.heal();
  for (const guest of guestsAt(world, machine.name)) endOneSoon(world, guest);
}

function guestsAt(world: SimWorld, place: string): readonly Guest[] {
  return [...world.guests.values()].filter((g) => g.places.includes(place));
}

function startTwice(world: SimWorld, guest: Guest, machine: Machine, tries = TRIES): void {
  const { state, moving, twin } = guest;
  if (state !== 'running' || moving || twin !== null || guest.machine === machine.name || tries === 0) return;
  if (!machine.hasBridges(guest) || machine.hasRemains(guest)) {
    const again = (): void => startTwice(world, guest, machine, tries - 1);
    return void world.scheduler.in(AGAIN_MS, null, 'timer', again);
  }
  world.scheduler.note(`   * ${guest.owner} is started at ${machine.name}, too`);
  guest.twin = machine.name;
  world.twins.began(guest);
  for (const nic of guest.nics) machine.plug(nic);
  if (machine.cutOffAt === null && world.machines.get(guest.machine ?? '')?.cutOffAt === null)
    endOneSoon(world, guest);
}

function endOneSoon(world: SimWorld, guest: Guest): void {
  world.scheduler.in(world.random.between(10, 8_000), null, 'timer', () => endOne(world, guest));
}

/** Somebody has seen that there are two, and ends the one that has no port, or either. */
export function endOne(world: SimWorld, guest: Guest): void {
  const { machine, twin } = guest;
  if (machine === null || twin === null) return;
  const ports = world.auditor.state.byOwner.get(guest.owner) ?? [];
  const hasPort = [...ports].some((id) => world.auditor.state.ports.get(id)?.active?.host === twin);
  world.endAt(guest, hasPort === world.random.chance(0.8) ? machine : twin);
}
