import { moveKey } from '../../../apps/host-agent/src/hypervisor/moves.js';
import { type Random } from '../engine/random.js';
import { type Scheduler } from '../engine/scheduler.js';
import { type Attempt } from './attempt.js';
import { type Guest, type Nic } from './guest.js';
import { type Machine } from './machine.js';
import { ANNOUNCEMENTS, ORDERS, type OrderOfEvents, type Span } from './order-of-events.js';

/** One guest on its way. */
interface Move {
  readonly guest: Guest;
  readonly from: Machine;
  readonly to: Machine;
  /** Null: somebody did it by hand, nobody asked us. */
  readonly attempt: Attempt | null;
  readonly order: OrderOfEvents;
  /** The guest runs at the destination before all of its memory is there. */
  readonly postCopy: boolean;
  /** The guest runs, or ran, at the destination. */
  switched: boolean;
  /** Memory is still missing there. */
  torn: boolean;
  /** Whose word it was that all is ready, where that was said before the taps were there: of others, which went since. */
  early: unknown;
  /** What was still to come of it does not. */
  over: boolean;
  /** A host went down: what it had to say of it does not come either. */
  cut: boolean;
}

/** Before the QEMU that a guest left is ended by who moved it by hand. */
const ENDED: Span = [10, 3_000];
/** How long after its arrival a guest for which all was ready must find it so. */
const AWAITED_MS = 1_000;
/** For how long a destination is waited for. */
const PATIENCE: Span = [8_000, 15_000];

/** The hypervisors of all hosts together: `OrderOfEvents` says who does what when. */
export class Mover {
  /** How likely a copy fails by itself. */
  failure = 0.1;
  /** How likely a guest that already ran at the destination goes on at the source, for each that is `failure`. */
  comesBack = 0.5;
  /** How long memory is copied, but for a few. */
  copyMs = 300;
  /** How likely the guest runs there before its memory is. */
  postCopy = 0.15;
  /** An order that was carried out is carried out again. */
  onTwice: (what: string) => void = () => undefined;
  /** A guest's taps are at both ends. */
  onBothEnds: (guest: Guest) => void = () => undefined;
  /** A guest runs at its destination. */
  onArrived: (guest: Guest) => void = () => undefined;
  private readonly moves = new Set<Move>();
  private readonly begun = new Set<string>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly guests: ReadonlyMap<string, Guest>,
    private readonly machines: ReadonlyMap<string, Machine>,
    private readonly announce: (nic: Nic) => void,
  ) {}

  migrate(owner: string, from: Machine, to: string, attempt: Attempt | null): void {
    if (attempt !== null) this.once(attempt, from);
    const guest = this.guests.get(owner);
    const destination = this.machines.get(to);
    const refuse = (reason: string): void => this.say(from, attempt, 'failed', reason);
    if (guest === undefined || guest.machine !== from.name || guest.state !== 'running')
      return refuse('no such guest here');
    if (guest.moving) return refuse('is being moved');
    if (guest.twin !== null) return refuse('runs twice');
    if (destination === undefined || destination === from) return refuse('no such destination');
    if (!destination.hasBridges(guest)) return refuse('the bridge is missing at the destination');
    if (destination.hasTap(guest)) return refuse('the tap is still there');
    guest.moving = true;
    // Somebody takes it away before it was heard there: who does not know that it came can't know that it is still there.
    if (attempt === null) guest.awaitedUntil = 0;
    const order = ORDERS[guest.kind];
    const postCopy = this.random.chance(this.postCopy);
    const state = { switched: false, torn: false, early: null, over: false, cut: false };
    const move: Move = { guest, from, to: destination, attempt, order, postCopy, ...state };
    this.moves.add(move);
    this.note(`${owner} begins to move from ${from.name} to ${to}`);
    this.in(move, order.arrival, () => this.arrive(move));
  }

  /** A host goes down in the middle of it: the guest lives on if all of its memory is at the other one. */
  hostDown(down: Machine): void {
    for (const move of [...this.moves]) {
      const { guest, from, to, attempt, switched } = move;
      if (down !== from && down !== to) continue;
      this.end(move);
      move.cut = true;
      const here = switched ? to : from;
      const lost = here === down || move.torn;
      guest.machine = lost ? null : here.name;
      guest.state = lost ? 'off' : 'running';
      // What is left of it at the other host somebody ends.
      if (lost) for (const nic of guest.nics) (down === from ? to : from).unplug(nic);
      this.note(`${guest.owner} ${lost ? 'is lost' : `goes on at ${here.name}`}: ${down.name} is down`);
      if (down === to && attempt?.outcome === 'started')
        this.say(from, attempt, 'failed', 'the destination is down');
    }
  }

  /** The monitors of a host, or its libvirtd, are gone for a while. What libvirt copies it gives up. */
  monitorDown(machine: Machine): void {
    machine.monitored = false;
    for (const attempt of machine.attempts.values()) {
      if (attempt.outcome !== 'started') continue;
      attempt.untold = true;
      for (const watcher of machine.watchers)
        watcher({ ...attempt, outcome: 'unknown', reason: 'the monitor is gone' });
    }
    for (const move of [...this.moves]) {
      const isCopied = move.guest.kind === 'libvirt' && move.from === machine && !move.switched;
      if (isCopied && move.guest.state === 'running' && this.random.chance(0.5)) this.giveUp(move, 'failed');
    }
  }

  /** They are back, and are asked how everything stands. */
  monitorUp(machine: Machine): void {
    machine.monitored = true;
    for (const attempt of machine.attempts.values()) {
      if (!attempt.untold) continue;
      attempt.untold = false;
      for (const watcher of machine.watchers) watcher({ ...attempt });
    }
  }

  /** The QEMU that a guest left here is ended. */
  quit({ owner }: Pick<Attempt, 'owner'>, machine: Machine, within: Span = [1, 60]): void {
    const guest = this.guests.get(owner);
    if (guest === undefined) return;
    const { boot } = machine;
    this.after(within, () => {
      // It went with its host.
      if (machine.boot !== boot) return;
      // It has said that all is over there, and the guest runs nowhere yet.
      if (guest.machine === machine.name && guest.goingTo !== null) this.quit({ owner }, machine, within);
      else if (guest.machine !== machine.name) for (const nic of guest.nics) machine.unplug(nic);
    });
  }

  private once(order: Attempt, { boot }: Machine): void {
    const key = `${boot} ${moveKey(order)}`;
    if (this.begun.has(key)) this.onTwice(`${order.migration}, attempt ${order.attempt},`);
    this.begun.add(key);
  }

  /** The destination's taps, one after the other, then the copy. */
  private arrive(move: Move): void {
    const { guest, from, to, attempt, order } = move;
    if (this.random.chance(order.nobody * this.failure * 10))
      return this.stay(move, 'nobody listens at the destination');
    if (!to.hasBridges(guest) || to.hasTap(guest)) return this.stay(move, 'the destination is not fit');
    if (order.startsEarly) this.say(from, attempt, 'started');
    this.eachNic(
      move,
      (nic) => {
        if (!to.hasBridges(guest)) return this.giveUp(move, 'failed');
        to.plug(nic);
        this.note(`the tap of ${nic.spec.ifaceId} is at ${to.name}`);
      },
      () => {
        this.onBothEnds(guest);
        this.await(move);
      },
    );
  }

  /** What we ask for is held: QEMU is not asked before the destination is ready, libvirt copies slowly until then. */
  private await(move: Move): void {
    const { attempt, order } = move;
    if (attempt?.held === false) move.early = agentOf(move.to);
    if (attempt?.held !== true) return this.copy(move);
    let waits = true;
    const end = (run: () => void) => (): void => {
      if (!waits || move.over) return;
      waits = false;
      run();
    };
    attempt.go = end(() => this.in(move, [0.1, 3], () => this.copy(move)));
    const late = (): void => (order.goesAnyhow ? this.copy(move) : this.giveUp(move, 'failed'));
    this.in(move, PATIENCE, end(late));
  }

  private copy(move: Move): void {
    const { guest, from, attempt, order } = move;
    if (!order.startsEarly) this.say(from, attempt, 'started');
    this.in(move, [1, this.random.chance(0.2) ? 10 * this.copyMs : this.copyMs], () => {
      if (attempt?.aborted === true) return this.giveUp(move, 'aborted');
      if (this.random.chance(this.failure)) return this.giveUp(move, 'failed');
      guest.state = 'paused';
      guest.goingTo = move.to.name;
      this.note(`${guest.owner} stops at ${from.name}`);
      const early = !move.postCopy && this.random.chance(order.completesEarly);
      if (early) this.say(from, attempt, 'completed');
      this.in(move, order.gap, () => this.switchOver(move, early));
    });
  }

  /** `sure`: the source has said that all of it is there, and would not go on with it. */
  private switchOver(move: Move, sure: boolean): void {
    const { guest, from, to, attempt } = move;
    if (!sure && this.random.chance(this.failure / 3)) {
      guest.state = 'running';
      return this.giveUp(move, 'failed');
    }
    guest.previous = from.name;
    guest.machine = to.name;
    guest.state = 'running';
    guest.goingTo = null;
    guest.wasAt.set(from.name, this.scheduler.now);
    const isReady = attempt?.held === false && to.unhurt && !this.isOfOthers(move);
    guest.awaitedUntil = isReady ? this.scheduler.now + AWAITED_MS : 0;
    guest.broughtBy = attempt?.migration ?? null;
    move.switched = true;
    move.torn = move.postCopy;
    this.note(`${guest.owner} runs at ${to.name}${move.postCopy ? ', and its memory follows' : ''}`);
    for (const nic of guest.nics)
      if (!nic.quiet)
        for (const span of ANNOUNCEMENTS)
          this.after(span, () => {
            if (guest.machine === to.name) this.announce(nic);
          });
    if (move.postCopy) return this.in(move, [5, 300], () => this.copyRest(move));
    if (!sure && this.random.chance(this.failure * this.comesBack))
      return this.in(move, [0.5, this.random.chance(0.5) ? 20 : 200], () => this.comeBack(move));
    this.leave(move, sure);
  }

  /** It was said of taps that went: another agent's word, or of a second one of the guest that ran there. */
  private isOfOthers({ early, to, guest }: Move): boolean {
    if (early === null) return false;
    const goneFor = this.scheduler.now - (guest.wasAt.get(to.name) ?? Number.NEGATIVE_INFINITY);
    return early !== agentOf(to) || goneFor < PATIENCE[1];
  }

  private copyRest(move: Move): void {
    if (this.random.chance(this.failure)) return this.lose(move);
    move.torn = false;
    this.leave(move, false);
  }

  /** What the guest needs is at neither host: somebody ends what is left of it at both. */
  private lose(move: Move): void {
    const { guest, from, to, attempt } = move;
    this.note(`${guest.owner} is lost: its memory is at neither ${from.name} nor ${to.name}`);
    guest.state = 'off';
    guest.machine = null;
    if (attempt !== null) attempt.outcome = 'failed';
    if (this.random.chance(0.5)) this.say(from, attempt, 'failed', 'post-copy failed');
    const [first, last] = this.random.chance(0.5) ? [from, to] : [to, from];
    this.in(move, [10, 1_500], () => {
      for (const nic of guest.nics) first.unplug(nic);
      this.in(move, [1, 300], () => {
        for (const nic of guest.nics) last.unplug(nic);
        this.end(move);
      });
    });
  }

  /** The guest is where it should be: the word of it, and the source's taps. */
  private leave(move: Move, said: boolean): void {
    const { guest, from, attempt, order } = move;
    if (!said)
      this.after(order.word, () => {
        if (!move.cut) this.say(from, attempt, 'completed');
      });
    const { row } = order;
    if (row === null) {
      this.end(move);
      this.onArrived(guest);
      if (attempt === null) this.quit(guest, from, ENDED);
      return;
    }
    this.in(move, [1, 60], () =>
      this.eachNic(
        move,
        (nic) => {
          this.note(`the tap of ${nic.spec.ifaceId} leaves ${from.name}`);
          this.after(row, from.loseDevice(nic));
        },
        () => {
          this.end(move);
          this.onArrived(guest);
        },
      ),
    );
  }

  /** It ran at the destination, which then failed: the source goes on with it. */
  private comeBack(move: Move): void {
    const { guest, from, to } = move;
    guest.previous = to.name;
    guest.machine = from.name;
    guest.wasAt.set(to.name, this.scheduler.now);
    guest.awaitedUntil = 0;
    this.giveUp(move, 'failed');
  }

  private giveUp(move: Move, how: 'failed' | 'aborted'): void {
    const { guest, from, to, attempt } = move;
    for (const nic of guest.nics) to.unplug(nic);
    this.note(`${guest.owner} stays at ${from.name}`);
    this.end(move);
    this.after([0.1, 20], () => this.say(from, attempt, how, `the migration ${how}`));
  }

  private stay(move: Move, reason: string): void {
    this.end(move);
    this.say(move.from, move.attempt, 'failed', reason);
  }

  private end(move: Move): void {
    move.over = true;
    move.guest.goingTo = null;
    move.guest.moving = false;
    this.moves.delete(move);
  }

  private say(at: Machine, attempt: Attempt | null, outcome: Attempt['outcome'], reason?: string): void {
    if (attempt === null) return;
    attempt.outcome = outcome;
    if (reason !== undefined) attempt.reason = reason;
    if (!at.monitored) attempt.untold = true;
    else for (const watcher of at.watchers) watcher({ ...attempt });
  }

  /** The first at once, each of the others a little later; `then` with the last. */
  private eachNic(move: Move, work: (nic: Nic) => void, then: () => void): void {
    const left = [...move.guest.nics];
    const next = (): void => {
      const nic = left.splice(this.random.below(left.length), 1)[0];
      if (nic !== undefined) work(nic);
      if (move.over) return;
      if (left.length === 0) then();
      else this.in(move, [0.1, 30], next);
    };
    next();
  }

  private in(move: Move, span: Span, run: () => void): void {
    this.after(span, () => {
      if (!move.over) run();
    });
  }

  private after([low, high]: Span, run: () => void): void {
    this.scheduler.in(this.random.between(low, high), null, 'hypervisor', run);
  }

  private note(text: string): void {
    this.scheduler.note(`   * ${text}`);
  }
}

/** Who drives the switch there; nobody is never the same. */
const agentOf = ({ drivers }: Machine): unknown => [...drivers].at(-1) ?? Symbol('nobody');
