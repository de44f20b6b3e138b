import { type Random } from '../engine/random.js';
import { BROADCAST, forged } from '../host/frames.js';
import { type Guest, type Nic } from '../host/guest.js';
import { UPLINK, type Machine } from '../host/machine.js';
import { type SimWorld } from './world.js';

const AGAIN_MS = 60;
const TRIES = 40;

/** There and back at once, perhaps more than once: ordered, or by hand. */
export function thereAndBack(world: SimWorld, dice: Random, guest: Guest, machine: Machine): void {
  guest.returns = 1 + dice.below(3);
  move(world, guest, machine, dice.chance(0.5));
}

/** A guest that has just arrived, and is to go back. */
export function goBack(world: SimWorld, guest: Guest): void {
  const back = world.machines.get(guest.previous ?? '');
  if (guest.returns === 0 || back === undefined || world.isCalm) return;
  guest.returns -= 1;
  const byHand = world.random.chance(0.5);
  world.scheduler.in(world.random.between(0, 200), null, 'timer', () => move(world, guest, back, byHand));
}

/** Until it goes: what was there of it is still in the way, or the log knows of the last move only. */
function move(world: SimWorld, guest: Guest, to: Machine, byHand: boolean, tries = TRIES): void {
  const from = world.machines.get(guest.machine ?? '');
  if (tries === 0 || from === undefined || from === to || guest.moving || world.isCalm) return;
  const again = (): void =>
    void world.scheduler.in(AGAIN_MS, null, 'timer', () => move(world, guest, to, byHand, tries - 1));
  if (byHand) {
    world.mover.migrate(guest.owner, from, to.name, null);
    if (!guest.moving) again();
    return;
  }
  const { owner } = guest;
  void world
    .command({ type: 'StartMigration', owner, destination: world.host(to.name) }, 1)
    .then((answer) => {
      if (answer?.ok !== true) again();
    });
}

/** Who has waited for a guest to be moved speaks in its name before it can. */
export function lurk(world: SimWorld, dice: Random, { nics }: Guest): void {
  if (world.isCalm || !dice.chance(world.bugs.forging ?? 0.2)) return;
  for (let n = dice.below(4); n >= 0; n -= 1)
    world.scheduler.in(dice.between(0, 400), null, 'timer', () => forge(world, dice, dice.pick(nics)));
}

/** Somebody speaks in the name of a guest: from outside, or another guest of any host. */
export function forge(world: SimWorld, dice: Random, victim: Nic): void {
  const { mac, ifaceId } = victim.spec;
  const to = dice.pick([BROADCAST, BROADCAST, mac, guess(dice)]);
  const isPlain = dice.chance(0.3);
  const other = dice.pick(world.nics);
  const machine = world.machines.get(other.guest.machine ?? '');
  world.scheduler.note(`   ! somebody sends as ${ifaceId} to ${to}`);
  if (dice.chance(0.6) || machine === undefined || other === victim || other.guest.state !== 'running') {
    const frame = forged(to, mac, isPlain, dice.pick([10, 10, 20, null]));
    for (const at of world.machines.values()) world.handover.forged(at, UPLINK, frame);
    return;
  }
  const frame = forged(to, mac, isPlain, null);
  const counted = machine.inject(other, frame, (tap) => world.handover.forged(machine, tap, frame));
  other.accepted += counted;
  other.acceptedBytes += counted * frame.length;
}

/** At a token. */
function guess(dice: Random): string {
  const octets = [0x83 | (dice.below(16) << 2), ...[1, 2, 3, 4, 5].map(() => dice.below(256))];
  return octets.map((n) => n.toString(16).padStart(2, '0')).join(':');
}
