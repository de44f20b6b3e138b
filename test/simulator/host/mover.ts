import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { type Guest } from './guest.js';
import { type Attempt } from './attempt.js';
import { type Machine } from './machine.js';

const RARPS = 5;

/**
 * The hypervisors of all hosts together, with the order of events of libvirt and QEMU: the destination plugs the tap,
 * memory is copied, the source's guest stops, the destination's runs and announces itself, and only then the source
 * takes its tap away. The words "completed" and the first frame come in either order.
 */
export class Mover {
  /** How likely a copy fails by itself. */
  failure = 0.1;
  /** How likely a guest that already ran at the destination goes on at the source, for each that is `failure`. */
  comesBack = 0.5;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly guests: ReadonlyMap<string, Guest>,
    private readonly machines: ReadonlyMap<string, Machine>,
    private readonly announce: (guest: Guest) => void,
  ) {}

  /** `attempt` null: somebody did it by hand, nobody asked us. */
  migrate(owner: string, from: Machine, to: string, attempt: Attempt | null): void {
    const guest = this.guests.get(owner);
    const destination = this.machines.get(to);
    const refuse = (reason: string): void => this.say(from, attempt, 'failed', reason);
    if (guest === undefined || guest.machine !== from.name || guest.state !== 'running')
      return refuse('no such guest here');
    if (guest.moving) return refuse('is being moved');
    if (destination === undefined || destination === from) return refuse('no such destination');
    if (!destination.hasBridge(guest)) return refuse('the bridge is missing at the destination');
    if (destination.taps.has(guest.tap)) return refuse('the tap is still there');
    guest.moving = true;
    this.say(from, attempt, 'started');
    this.note(`${owner} begins to move from ${from.name} to ${to}`);
    this.in(1, 100, () => this.arrive(guest, from, destination, attempt));
  }

  /** The destination's tap, then the copy. */
  private arrive(guest: Guest, from: Machine, to: Machine, attempt: Attempt | null): void {
    if (!to.hasBridge(guest) || to.taps.has(guest.tap))
      return this.stay(guest, from, attempt, 'the destination is not fit');
    to.plug(guest);
    this.note(`the tap of ${guest.spec.owner} is at ${to.name}`);
    const copy = this.random.chance(0.2) ? 3_000 : 300;
    this.in(5, copy, () => {
      if (attempt?.aborted === true) return this.giveUp(guest, from, to, attempt, 'aborted');
      if (this.random.chance(this.failure)) return this.giveUp(guest, from, to, attempt, 'failed');
      guest.state = 'paused';
      this.note(`${guest.spec.owner} stops at ${from.name}`);
      this.in(0.5, 20, () => this.switchOver(guest, from, to, attempt));
    });
  }

  private switchOver(guest: Guest, from: Machine, to: Machine, attempt: Attempt | null): void {
    if (this.random.chance(this.failure / 3)) {
      guest.state = 'running';
      return this.giveUp(guest, from, to, attempt, 'failed');
    }
    guest.previous = from.name;
    guest.machine = to.name;
    guest.state = 'running';
    this.note(`${guest.spec.owner} runs at ${to.name}`);
    for (let i = 0; i < RARPS; i += 1) this.in(i * 150, i * 150 + 5, () => this.announce(guest));
    if (this.random.chance(this.failure * this.comesBack))
      return this.in(0.5, this.random.chance(0.5) ? 20 : 200, () => this.comeBack(guest, from, to, attempt));
    this.in(0.1, 60, () => this.say(from, attempt, 'completed'));
    const linger = this.random.chance(0.3) ? 2_000 : 60;
    this.in(1, linger, () => {
      from.unplug(guest);
      guest.moving = false;
      this.note(`the tap of ${guest.spec.owner} leaves ${from.name}`);
    });
  }

  /** It ran at the destination, which then failed: the source goes on with it. */
  private comeBack(guest: Guest, from: Machine, to: Machine, attempt: Attempt | null): void {
    guest.previous = to.name;
    guest.machine = from.name;
    this.giveUp(guest, from, to, attempt, 'failed');
  }

  private giveUp(
    guest: Guest,
    from: Machine,
    to: Machine,
    attempt: Attempt | null,
    how: 'failed' | 'aborted',
  ): void {
    to.unplug(guest);
    this.note(`${guest.spec.owner} stays at ${from.name}`);
    guest.moving = false;
    this.in(0.1, 20, () => this.say(from, attempt, how, `the migration ${how}`));
  }

  private stay(guest: Guest, from: Machine, attempt: Attempt | null, reason: string): void {
    guest.moving = false;
    this.say(from, attempt, 'failed', reason);
  }

  private say(at: Machine, attempt: Attempt | null, outcome: Attempt['outcome'], reason?: string): void {
    if (attempt === null) return;
    attempt.outcome = outcome;
    if (reason !== undefined) attempt.reason = reason;
    for (const watcher of at.watchers) watcher({ ...attempt });
  }

  private in(low: number, high: number, run: () => void): void {
    this.scheduler.in(this.random.between(low, high), null, 'hypervisor', run);
  }

  private note(text: string): void {
    this.scheduler.note(`   * ${text}`);
  }
}
