import { ok, type Clock, type Result } from '#kernel';
import { type MigrationOrder } from '#contracts';
import { type MigrationOutcome } from '../hypervisor.js';
import { type Move as Ordered, type Moves } from '../moves.js';
import { type Domains } from './domains.js';
import { Hold } from './hold.js';
import { placeOf, type Place } from './place.js';
import { PostCopy } from './post-copy.js';
import { readTerms, type Look } from './said.js';
import { migrateCommand, type LibvirtSettings } from './settings.js';
import { type Virsh } from './virsh.js';

type Outcome = MigrationOutcome['outcome'];

export interface MoveParts {
  readonly settings: LibvirtSettings;
  readonly virsh: Virsh;
  readonly domains: Domains;
  readonly moves: Moves;
  readonly clock: Clock;
  readonly tell: (outcome: Outcome, reason?: string) => void;
  /** Nothing more comes of it. */
  readonly over: () => void;
}

/** Somebody else had begun before it was asked for: where the guest goes is theirs to say, not this order's. */
export const isTheirs = (moves: Moves, order: Ordered): boolean => moves.of(order)?.before !== undefined;

/** libvirt tells nobody that a job began, nor that one ended which left the guest where it was. */
const AGAIN_MS = 500;
/** A virsh that an earlier run of the agent started may be about to ask. */
const STRAY_MS = 2_000;

/**
 * One order carried out by libvirt.
 *
 * | virsh, and the look that follows | told |
 * | --- | --- |
 * | the first pass over memory begins | `started`, once |
 * | ends well, or libvirt stopped the guest as migrated | `completed` |
 * | ends with a fault, the guest runs here | `aborted` if that was asked, else `failed`, with libvirt's reason |
 * | ends with a fault, the job goes on (its client was lost) | nothing; it is looked at until it ends |
 * | ends with a fault, the guest stands still or is not there | `unknown`; what is seen later counts |
 * | post-copy breaks off | `unknown`, with that; it may be resumed |
 * | libvirtd can't be asked | `unknown`; what it says when it answers again |
 */
export class Move {
  readonly #hold: Hold;
  readonly #postCopy: PostCopy | null;
  #uuid: string | null = null;
  /** A virsh of ours waits for its end. */
  #isAttended = false;
  #copies = false;
  #isOver = false;
  #isAborting = false;
  #isUnclear = false;
  /** Why virsh said that it failed. */
  #reason: string | undefined;
  #timer: (() => void) | null = null;

  constructor(
    readonly order: MigrationOrder,
    private readonly parts: MoveParts,
  ) {
    const { virsh, clock, settings } = parts;
    this.#hold = new Hold(virsh, clock, order.held === true);
    this.#postCopy = settings.options.includes('post-copy') ? new PostCopy(virsh) : null;
    if (order.held !== true) this.#postCopy?.release();
  }

  get uuid(): string | null {
    return this.#uuid;
  }

  /** Looks, then asks if nobody did. */
  async begin(): Promise<void> {
    const look = await this.#find();
    if (look === null) return;
    const place = placeOf(look);
    if (this.#wasAsked) {
      this.#hold.adopted();
      if (this.#isTheirs && (place === 'leaving' || place === 'left')) return this.#end(...REFUSED[place]);
      if (place !== 'here') return this.#judge(look);
      return this.#later(STRAY_MS, () => this.#lookAgain());
    }
    if (place === 'here') return this.#ask();
    // Whatever becomes of what somebody else began: this order never begins anything after it.
    if (place === 'leaving' || place === 'left') await this.parts.moves.add(this.order, place);
    this.#end(...REFUSED[place]);
  }

  /** Asked again while it is under way: says how it stands. */
  again(): void {
    if (this.#copies) this.#tell('started');
  }

  /** An abort that this run of the agent knows nothing of. */
  async adoptAndCancel(): Promise<void> {
    this.#isAborting = true;
    const look = await this.#find();
    if (look === null) return;
    if (this.#wasAsked) this.#judge(look);
    else this.#end('aborted', 'it was not under way');
  }

  /** How that ends is seen: it may not have begun yet, and it may complete all the same. */
  async cancel(): Promise<void> {
    this.#isAborting = true;
    if (this.#isOver || this.#uuid === null) return;
    const asked = await this.parts.virsh.run(['domjobabort', this.#uuid]);
    if (this.#isOver) return;
    if (!asked.ok && asked.error.code !== 'refused') return this.#unclear(asked.error.message);
    if (!this.#isAttended) return this.#later(AGAIN_MS, () => this.#lookAgain());
    if (!asked.ok) this.#later(AGAIN_MS, () => this.cancel());
  }

  /** The destination has all of it now: the guest may go. */
  release(): void {
    this.#hold.release();
    this.#postCopy?.release();
  }

  heard(event: string, detail: string): void {
    if (this.#isOver || !(this.#isAttended || this.#copies)) return;
    if (event === 'lifecycle' && detail === 'Stopped Migrated') this.#left();
    // Whoever waits with virsh may not hear of it: libvirt itself waits for a destination that has not noticed.
    if (event === 'lifecycle' && detail === 'Suspended Post-copy Error') this.#unclear(TORN);
    if (event !== 'migration-iteration') return;
    this.#started();
    if (this.#uuid !== null) this.#postCopy?.passes(this.#uuid, detail);
  }

  /** libvirt answers: what could not be seen before can be now. */
  looked(): void {
    if (this.#isUnclear && !this.#isAttended) void this.#lookAgain();
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.#isOver = true;
    this.#timer?.();
    this.#hold.close();
    this.parts.over();
  }

  get #wasAsked(): boolean {
    return this.parts.moves.has(this.order);
  }

  get #isTheirs(): boolean {
    return isTheirs(this.parts.moves, this.order);
  }

  /** Null: there is nothing to be seen, and that is said. */
  async #find(): Promise<Look | null> {
    const found = await this.#look();
    if (this.#isOver) return null;
    if (found.ok && found.value !== null) return found.value;
    const why = found.ok ? `libvirt has no domain ${this.order.owner}` : found.error.message;
    // It may have gone where it was sent.
    if (this.#wasAsked) this.#unclear(why);
    else this.#end(this.#isAborting ? 'aborted' : 'failed', why);
    return null;
  }

  async #look(): Promise<Result<Look | null>> {
    const { domains } = this.parts;
    if (this.#uuid === null) {
      const domain = await domains.of(this.order.owner);
      if (!domain.ok) return domain;
      if (domain.value === null) return ok(null);
      this.#uuid = domain.value.uuid;
    }
    return domains.lookAt(this.#uuid);
  }

  async #ask(): Promise<void> {
    const { virsh, settings, moves } = this.parts;
    const { owner, destination } = this.order;
    const uuid = this.#uuid ?? '';
    const said = await virsh.run([`dominfo ${uuid}; migrate-getspeed ${uuid}`]);
    const terms = said.ok ? readTerms(said.value) : said;
    if (this.#isOver) return;
    if (!terms.ok) return this.#end('failed', terms.error.message);
    const { isPersistent, speed } = terms.value;
    this.#hold.known(speed);
    const command = migrateCommand(settings, { uuid, owner, isPersistent }, destination, this.#hold.speed);
    if (command === null) return this.#end('failed', 'the guest’s name can’t stand in a URI');
    await moves.add(this.order);
    if (this.#isOver) return;
    if (this.#isAborting) return this.#end('aborted', 'it was not under way');
    this.#isAttended = true;
    void this.#attend(command);
  }

  /** As long as it takes. */
  async #attend(command: readonly string[]): Promise<void> {
    const ended = await this.parts.virsh.run(command, null);
    this.#isAttended = false;
    if (this.#isOver) return;
    if (ended.ok) return this.#end('completed');
    this.#reason = ended.error.message;
    if (/another migration job is already running/.test(this.#reason)) {
      await this.parts.moves.add(this.order, 'leaving');
      return this.#end(...REFUSED.leaving);
    }
    await this.#lookAgain();
  }

  async #lookAgain(): Promise<void> {
    const look = await this.#find();
    if (look !== null) this.#judge(look);
  }

  /** What a look says of a move that was asked for, and that no virsh of ours attends. */
  #judge(look: Look): void {
    const place = this.parts.domains.hasDeparted(this.#uuid ?? '') ? 'left' : placeOf(look);
    if (place === 'left') return this.#left();
    if (place === 'off') return this.#end('failed', this.#reason ?? 'the guest was shut off');
    if (place === 'here') return this.#stays();
    if (place === 'torn')
      return this.#unclear(`${TORN}${this.#reason === undefined ? '' : `: ${this.#reason}`}`);
    if (place === 'unclear')
      return this.#unclear(this.#reason ?? 'libvirt does not say where the guest runs');
    this.#isUnclear = false;
    this.#started();
    if (this.#isAborting) void this.cancel();
    else this.#later(AGAIN_MS, () => this.#lookAgain());
  }

  #left(): void {
    if (this.#isTheirs) this.#end(...REFUSED.left);
    else this.#end('completed');
  }

  #stays(): void {
    const reason = this.#reason ?? 'the guest runs on here';
    const isAborted = this.#isAborting || /cancell?ed by client/.test(reason);
    this.#end(isAborted ? 'aborted' : 'failed', reason);
  }

  #started(): void {
    if (this.#copies) return;
    this.#copies = true;
    this.#tell('started');
    if (this.#uuid !== null) this.#hold.copying(this.#uuid);
  }

  /** Said once: what is seen later is said then. */
  #unclear(reason: string): void {
    if (!this.#isUnclear) this.#tell('unknown', reason);
    this.#isUnclear = true;
  }

  #later(ms: number, then: () => Promise<void>): void {
    this.#timer?.();
    this.#timer = this.parts.clock.after(ms, () => void then());
  }

  #tell(outcome: Outcome, reason?: string): void {
    this.parts.tell(outcome, reason?.slice(0, 300));
  }

  #end(outcome: Outcome, reason?: string): void {
    if (this.#isOver) return;
    this.#tell(outcome, reason);
    this.forget();
  }
}

/** `virsh migrate --postcopy-resume` goes on where it was, if the guest still lives at its destination. */
const TORN = 'post-copy broke off: a part of the guest’s memory is still here';

/** Of an order that nothing was done about: the guest is not one that could be sent. */
const REFUSED: Readonly<Record<Exclude<Place, 'here'>, readonly [Outcome, string]>> = {
  leaving: ['unknown', 'somebody else moves the guest already'],
  left: ['unknown', 'the guest was moved away by somebody else'],
  unclear: ['failed', 'the guest has not arrived here yet'],
  torn: ['failed', 'an earlier post-copy of the guest broke off'],
  off: ['failed', 'the guest is shut off'],
};
