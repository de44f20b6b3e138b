import { type Machine } from '../host/machine.js';
import { forgotten } from './losses.js';
import { type SimWorld } from './world.js';

/** Its agent, its guests and its switch are gone; its disk stands. */
export function goDown(world: SimWorld, machine: Machine): void {
  machine.isDown = true;
  world.agents.get(machine.name)?.process.kill();
  forgotten(world.auditor, machine);
  world.reports.delete(machine.name);
  world.mover.hostDown(machine);
  machine.reboot();
}

export function comeBack(world: SimWorld, machine: Machine): void {
  if (!machine.isDown) return;
  world.scheduler.note(`   ! ${machine.name} is back`);
  machine.isDown = false;
  world.startAgent(machine.name);
}
