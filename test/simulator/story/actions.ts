import { hasEnded } from '#domain';
import { type Process } from '../engine/process.js';
import { type Random } from '../engine/random.js';
import { type Guest } from '../host/guest.js';
import { type Machine } from '../host/machine.js';
import { type AgentService } from '../services/agent.js';
import { groupResource, onLoss } from './groups.js';
import { GROUPS } from './settings.js';
import { leave } from './hosts.js';
import { forgotten } from './losses.js';
import { loseHost } from './host-loss.js';
import { comeBack, goDown } from './power.js';
import { forge, thereAndBack } from './moves.js';
import { putBack } from './restore.js';
import { isolateHost } from './twins.js';
import { type SimWorld } from './world.js';

/** How much of what goes wrong is that, where groups isolate. */
const LOST_HOSTS = 0.2;

/** One thing that happens: what operators and guests do, or what goes wrong. */
export function act(world: SimWorld, dice: Random, faults: boolean): void {
  if (faults && dice.chance(0.4)) return trouble(world, dice);
  work(world, dice);
}

function work(world: SimWorld, dice: Random): void {
  const guest = dice.pick([...world.guests.values()]);
  const machine = dice.pick([...world.machines.values()]);
  const { state } = world.auditor;
  let from;
  switch (dice.below(13)) {
    case 12:
      return thereAndBack(world, dice, guest, machine);
    case 0:
    case 1: {
      const name = dice.pick(GROUPS);
      const group = state.groups.get(name as never);
      if (group === undefined) return void world.apply(groupResource(world, name));
      const policy = {
        vlan: { mode: 'access', id: dice.pick([10, 20]) },
        ...(dice.chance(0.4) ? { blocked: true } : {}),
      };
      const { switch: sw, binding, autoExpand, overridable } = group;
      const lost = onLoss(world, group, dice);
      // Fewer: free ports go, with all that they counted.
      const ports = binding === 'static' && dice.chance(0.3) ? 1 + dice.below(4) : group.ports;
      void world.apply({
        kind: 'PortGroup',
        name,
        spec: { switch: sw, binding, ports, autoExpand, overridable, policy, ...lost },
      });
      return;
    }
    case 2: {
      const port = state.byIface.get(dice.pick(guest.nics).spec.ifaceId as never);
      if (port !== undefined)
        void world.command({ type: 'SetPort', port, override: { blocked: dice.chance(0.5) } });
      return;
    }
    case 3:
      if (guest.state === 'off') world.boot(guest, machine);
      else if (dice.chance(0.5)) world.shutdown(guest);
      return;
    case 4:
      from = world.machines.get(guest.machine ?? '');
      if (from !== undefined && from !== machine) world.mover.migrate(guest.owner, from, machine.name, null);
      return;
    case 10: {
      const port = state.byIface.get(dice.pick(guest.nics).spec.ifaceId as never);
      if (port !== undefined && guest.state === 'off') void world.command({ type: 'DisconnectPort', port });
      return;
    }
    case 5: {
      const open = [...state.migrations.values()].filter((m) => !hasEnded(m.phase));
      if (open.length > 0)
        void world.command({
          type: 'AbortMigration',
          migration: dice.pick(open).id,
          reason: 'changed our mind',
        });
      return;
    }
    case 11:
      if (dice.chance(0.3)) {
        void world.command({ type: 'Delete', kind: 'PortGroup', name: dice.pick(GROUPS) });
        return;
      }
      return move(world, dice, guest, machine);
    case 6:
      if (dice.chance(0.4)) return leave(world, dice, machine);
      return move(world, dice, guest, machine);
    default:
      return move(world, dice, guest, machine);
  }
}

function move(world: SimWorld, dice: Random, guest: Guest, { name }: Machine): void {
  const { owner } = guest;
  if (dice.chance(0.2)) guest.returns = 1;
  void world.command({ type: 'StartMigration', owner, destination: world.host(name) });
}

function trouble(world: SimWorld, dice: Random): void {
  const { scheduler, weather, server } = world;
  const later = (low: number, high: number, run: () => void): void =>
    void scheduler.in(dice.between(low, high), null, 'timer', run);
  const say = (text: string): void => scheduler.note(`   ! ${text}`);
  const machine = dice.pick([...world.machines.values()]);
  const agent = world.agents.get(machine.name);
  const manager = dice.below(world.managers.length);
  /** At once, or at whatever it awaits a little later. */
  const kill = (process: Process, downMs: number, start: () => void): void => {
    say(`${process.name} is killed`);
    process.onEnd(() => later(1, downMs, start));
    if (dice.chance(0.5)) process.kill();
    else process.killAt(1 + dice.below(60));
  };
  if (world.lossPolicies.size > 0 && dice.chance(world.bugs.lostHosts ?? LOST_HOSTS))
    return dice.chance(0.3) ? loseHost(world, dice, machine) : isolateHost(world, dice, machine);
  switch (dice.below(25)) {
    case 23:
      for (let n = dice.below(12); n >= 0; n -= 1)
        later(0, 1_500, () => forge(world, dice, dice.pick(world.nics)));
      return;
    case 22:
      if (!machine.monitored) return;
      say(`the hypervisor of ${machine.name} does not answer`);
      world.mover.monitorDown(machine);
      return later(50, 5_000, () => world.mover.monitorUp(machine));
    case 0: {
      say('the weather turns');
      Object.assign(weather, {
        loss: dice.chance(0.5) ? 0.05 : 0,
        drop: dice.pick([0, 0.05, 0.3]),
        duplicate: dice.pick([0, 0.1]),
        delay: dice.pick([1, 5, 20]),
        spike: dice.pick([20, 100, 500]),
      });
      return;
    }
    case 1:
    case 2: {
      const { service, disk } = world.managers[manager] ?? {};
      if (service?.process.alive !== true) return;
      if (dice.chance(0.3)) service.process.onEnd(() => disk?.wipe());
      return kill(service.process, 3_000, () => world.startManager(manager));
    }
    case 3: {
      const process = world.managers[manager]?.service?.process;
      if (process?.alive !== true || process.frozen) return;
      say(`${process.name} freezes`);
      process.freeze();
      return later(50, 6_000, () => process.wake());
    }
    case 4: {
      const i = dice.below(world.coordinators.length);
      const process = world.coordinators[i]?.service?.process;
      if (process?.alive !== true) return;
      if (dice.chance(0.3) && !process.frozen) {
        say(`${process.name} freezes`);
        process.freeze();
        return later(50, 6_000, () => process.wake());
      }
      return kill(process, 4_000, () => world.startCoordinator(i));
    }
    case 5:
    case 6:
    case 7:
      if (agent?.process.alive !== true) return;
      return kill(agent.process, 3_000, () => world.startAgent(machine.name));
    case 8:
      if (agent?.process.alive !== true || agent.process.frozen) return;
      say(`${agent.process.name} freezes`);
      agent.process.freeze();
      return later(50, 4_000, () => agent.process.wake());
    case 9:
      return world.cutOff(machine.name, agent?.link, dice.between(100, 6_000));
    case 10:
      if (!server.up) return;
      say('the message server is down');
      server.stop();
      return later(50, 3_000, () => server.start());
    case 11:
      say('the streams change their leader');
      return server.changeLeader(dice.between(10, 2_500));
    case 12: {
      if (agent?.process.alive !== true) return;
      say(`${agent.process.name} is killed, and its disk is lost`);
      agent.process.kill();
      machine.disk.wipe();
      machine.forgot = true;
      forgotten(world.auditor, machine);
      return later(1, 3_000, () => world.startAgent(machine.name));
    }
    case 13:
      say(`the switch of ${machine.name} refuses what comes next`);
      for (const driver of machine.drivers) driver.failNext();
      return;
    case 14:
      say(`somebody deletes a flow at ${machine.name}`);
      world.frames.excuse();
      for (const nic of machine.known) nic.tampered = true;
      return machine.deleteFlow();
    case 15: {
      const process = dice.pick(world.services());
      process.skewMs = Math.floor(dice.between(-30_000, 30_000));
      return say(`the clock of ${process.name} jumps to ${process.skewMs} ms`);
    }
    case 16:
      say(`${machine.name} reboots`);
      goDown(world, machine);
      return later(200, 4_000, () => comeBack(world, machine));
    case 24:
      if (dice.chance(0.4)) return loseHost(world, dice, machine);
      return dice.chance(0.5) ? isolateHost(world, dice, machine) : undefined;
    case 18:
      return putBack(world, dice);
    case 19: {
      const service = dice.pick(
        [...world.managers, ...world.coordinators].flatMap((p) => (p.service === null ? [] : [p.service])),
      );
      return world.cutOff(service.process.name, service.link, dice.between(100, 6_000));
    }
    case 17:
      if (!dice.chance(0.2)) return;
      return away(world, dice, machine, agent, say);
    default: {
      if (!dice.chance(0.5)) return;
      say(`the switch of ${machine.name} restarts`);
      forgotten(world.auditor, machine);
      return machine.restartSwitch();
    }
  }
}

/** Somebody does not answer for so long that what waited for them is given up. */
function away(
  world: SimWorld,
  dice: Random,
  machine: Machine,
  agent: AgentService | null | undefined,
  say: (text: string) => void,
): void {
  const ms = dice.between(20_000, 75_000);
  const back = (run: () => void): void => void world.scheduler.in(ms, null, 'timer', run);
  if (dice.chance(0.5)) {
    if (agent?.process.alive !== true) return;
    say(`the agent of ${machine.name} is away for ${Math.round(ms)} ms`);
    agent.process.kill();
    back(() => world.startAgent(machine.name));
  } else {
    say(`nobody leads for ${Math.round(ms)} ms`);
    world.managers.forEach(({ service }, i) => {
      service?.process.kill();
      back(() => world.startManager(i));
    });
  }
  world.lull = ms + dice.between(0, 15_000);
}
