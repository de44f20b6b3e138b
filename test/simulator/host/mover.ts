import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { type Guest, type Nic } from './guest.js';
import { type Attempt } from './attempt.js';
import { type Machine } from './machine.js';

const RARPS = 5;

/** One guest on its way. */
interface Move {
  readonly guest: Guest;
  readonly from: Machine;
  readonly to: Machine;
  /** Null: somebody did it by hand, nobody asked us. */
  readonly attempt: Attempt | null;
  /** The guest runs, or ran, at the destination. */
  switched: boolean;
  /** What was still to come of it does not. */
  over: boolean;
  /** A host went down: what it had to say of it does not come either. */
  cut: boolean;
}

/**
 * The hypervisors of all hosts together, with the order of events of libvirt and QEMU: the destination plugs the taps,
 * memory is copied, the source's guest stops, the destination's runs and announces itself, and only then the source
 * takes its taps away. The words "completed" and the first frame come in either order.
 */
export class Mover {
  /** How likely a copy fails by itself. */
  failure = 0.1;
  /** How likely a guest that already ran at the destination goes on at the source, for each that is `failure`. */
  comesBack = 0.5;
  private readonly moves = new Set<Move>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly guests: ReadonlyMap<string, Guest>,
    private readonly machines: ReadonlyMap<string, Machine>,
    private readonly announce: (nic: Nic) => void,
  ) {}

  migrate(owner: string, from: Machine, to: string, attempt: Attempt | null): void {
    const guest = this.guests.get(owner);
    const destination = this.machines.get(to);
    const refuse = (reason: string): void => this.say(from, attempt, 'failed', reason);
    if (guest === undefined || guest.machine !== from.name || guest.state !== 'running')
      return refuse('no such guest here');
    if (guest.moving) return refuse('is being moved');
    if (destination === undefined || destination === from) return refuse('no such destination');
    if (!destination.hasBridges(guest)) return refuse('the bridge is missing at the destination');
    if (destination.hasTap(guest)) return refuse('the tap is still there');
    guest.moving = true;
    const move: Move = { guest, from, to: destination, attempt, switched: false, over: false, cut: false };
    this.moves.add(move);
    this.say(from, attempt, 'started');
    this.note(`${owner} begins to move from ${from.name} to ${to}`);
    this.in(move, 1, 100, () => this.arrive(move));
  }

  /** A host goes down in the middle of it: the guest lives on if its memory is at the other one. */
  hostDown(down: Machine): void {
    for (const move of [...this.moves]) {
      const { guest, from, to, attempt, switched } = move;
      if (down !== from && down !== to) continue;
      this.end(move);
      move.cut = true;
      const [here, other] = switched ? [to, from] : [from, to];
      const lost = here === down;
      guest.machine = lost ? null : here.name;
      guest.state = lost ? 'off' : 'running';
      if (lost) for (const nic of guest.nics) other.unplug(nic);
      this.note(`${guest.owner} ${lost ? 'is lost' : `goes on at ${here.name}`}: ${down.name} is down`);
      if (down === to && attempt?.outcome === 'started')
        this.say(from, attempt, 'failed', 'the destination is down');
    }
  }

  /** The destination's taps, one after the other, then the copy. */
  private arrive(move: Move): void {
    const { guest, to } = move;
    if (!to.hasBridges(guest) || to.hasTap(guest)) return this.stay(move, 'the destination is not fit');
    this.eachNic(
      move,
      (nic) => {
        if (!to.hasBridges(guest)) return this.giveUp(move, 'failed');
        to.plug(nic);
        this.note(`the tap of ${nic.spec.ifaceId} is at ${to.name}`);
      },
      () => this.copy(move),
    );
  }

  private copy(move: Move): void {
    const { guest, from, attempt } = move;
    const copy = this.random.chance(0.2) ? 3_000 : 300;
    this.in(move, 5, copy, () => {
      if (attempt?.aborted === true) return this.giveUp(move, 'aborted');
      if (this.random.chance(this.failure)) return this.giveUp(move, 'failed');
      guest.state = 'paused';
      this.note(`${guest.owner} stops at ${from.name}`);
      this.in(move, 0.5, 20, () => this.switchOver(move));
    });
  }

  private switchOver(move: Move): void {
    const { guest, from, to, attempt } = move;
    if (this.random.chance(this.failure / 3)) {
      guest.state = 'running';
      return this.giveUp(move, 'failed');
    }
    guest.previous = from.name;
    guest.machine = to.name;
    guest.state = 'running';
    move.switched = true;
    this.note(`${guest.owner} runs at ${to.name}`);
    for (const nic of guest.nics)
      for (let i = 0; i < RARPS; i += 1) this.outside(i * 150, i * 150 + 5, () => this.announce(nic));
    if (this.random.chance(this.failure * this.comesBack))
      return this.in(move, 0.5, this.random.chance(0.5) ? 20 : 200, () => this.comeBack(move));
    this.outside(0.1, 60, () => {
      if (!move.cut) this.say(from, attempt, 'completed');
    });
    const linger = this.random.chance(0.3) ? 2_000 : 60;
    this.in(move, 1, linger, () =>
      this.eachNic(
        move,
        (nic) => {
          from.unplug(nic);
          this.note(`the tap of ${nic.spec.ifaceId} leaves ${from.name}`);
        },
        () => this.end(move),
      ),
    );
  }

  /** It ran at the destination, which then failed: the source goes on with it. */
  private comeBack(move: Move): void {
    const { guest, from, to } = move;
    guest.previous = to.name;
    guest.machine = from.name;
    this.giveUp(move, 'failed');
  }

  private giveUp(move: Move, how: 'failed' | 'aborted'): void {
    const { guest, from, to, attempt } = move;
    for (const nic of guest.nics) to.unplug(nic);
    this.note(`${guest.owner} stays at ${from.name}`);
    this.end(move);
    this.outside(0.1, 20, () => this.say(from, attempt, how, `the migration ${how}`));
  }

  private stay(move: Move, reason: string): void {
    this.end(move);
    this.say(move.from, move.attempt, 'failed', reason);
  }

  private end(move: Move): void {
    move.over = true;
    move.guest.moving = false;
    this.moves.delete(move);
  }

  private say(at: Machine, attempt: Attempt | null, outcome: Attempt['outcome'], reason?: string): void {
    if (attempt === null) return;
    attempt.outcome = outcome;
    if (reason !== undefined) attempt.reason = reason;
    for (const watcher of at.watchers) watcher({ ...attempt });
  }

  /** The first at once, each of the others a little later; `then` with the last. */
  private eachNic(move: Move, work: (nic: Nic) => void, then: () => void): void {
    const left = [...move.guest.nics];
    const next = (): void => {
      const nic = left.splice(this.random.below(left.length), 1)[0];
      if (nic !== undefined) work(nic);
      if (move.over) return;
      if (left.length === 0) then();
      else this.in(move, 0.1, 30, next);
    };
    next();
  }

  private in(move: Move, low: number, high: number, run: () => void): void {
    this.outside(low, high, () => {
      if (!move.over) run();
    });
  }

  private outside(low: number, high: number, run: () => void): void {
    this.scheduler.in(this.random.between(low, high), null, 'hypervisor', run);
  }

  private note(text: string): void {
    this.scheduler.note(`   * ${text}`);
  }
}
