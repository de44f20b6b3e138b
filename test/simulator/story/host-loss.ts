import { type Random } from '../engine/random.js';
import { type Guest } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { comeBack, goDown } from './power.js';
import { cutOff, startAgain } from './twins.js';
import { type SimWorld } from './world.js';

/** Before a host that is silent is suspect, with some to spare. */
const SUSPECT_MS = 20_000;

/**
 * A host loses its power, for long, with all that runs there. An HA manager may start its guests elsewhere, and may say
 * before or after that it is dead: because it took its power away, or because it is silent; or nobody says a word. The
 * host comes back with another boot.
 */
export function loseHost(world: SimWorld, dice: Random, machine: Machine): void {
  const { name } = machine;
  const lost = [...world.guests.values()].filter((g) => g.machine === name);
  world.scheduler.note(`   ! ${name} loses its power`);
  goDown(world, machine);
  const ms = dice.between(SUSPECT_MS, 75_000);
  const at = (low: number, high: number, run: () => void): void =>
    void world.scheduler.in(dice.between(low, high), null, 'timer', run);
  if (dice.chance(0.6)) at(500, 40_000, () => sayDead(world, machine, dice.chance(0.5)));
  const others = [...world.machines.values()].filter((m) => m !== machine);
  for (const guest of lost)
    if (dice.chance(0.7)) at(500, 30_000, () => startElsewhere(world, guest, dice.pick(others)));
  const aloneMs = dice.chance(0.3) ? dice.between(1_000, 20_000) : 0;
  world.scheduler.in(ms, null, 'timer', () => {
    if (!machine.isDown || world.isCalm) return;
    if (aloneMs > 0) cutOff(world, machine, aloneMs);
    comeBack(world, machine);
    startAgain(world, dice, lost, machine);
  });
  world.lull = dice.chance(0.5) ? ms : 0;
}

function sayDead(world: SimWorld, { name, isDown }: Machine, fenced: boolean): void {
  const host = world.host(name);
  const said = fenced ? ({ fenced } as const) : {};
  // Whoever says so has looked, or did it.
  if (isDown) void world.command({ type: 'GiveUpCounters', host, reason: 'no power', dead: true, ...said });
}

function startElsewhere(world: SimWorld, guest: Guest, machine: Machine): void {
  if (guest.state === 'off' && !world.isCalm) world.boot(guest, machine);
}
