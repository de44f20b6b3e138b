import { type Epoch, type PortId } from '#kernel';
import { allotSlots, type LocalFacts } from '#compiler';
import { type Incarnations } from '../counters/counters.js';
import { NO_TEAMING, type TeamingMemory } from '../teaming/standing.js';
import { parseBindingKey, type AgentMemory, type BindingKey, type Incarnation } from './memory.js';

/** The agent's memory while it runs; every change goes to disk, and what must be there first is awaited. */
export class LocalMemory {
  readonly incarnations: Incarnations;
  #slots: Readonly<Record<string, number>>;
  readonly #activations: Set<string>;
  readonly #handedOver: Set<string>;
  /** Not kept over a restart: who reads it back later does not know when it was. */
  readonly #turnedAt = new Map<BindingKey, number>();
  readonly #round: number;
  #teaming: TeamingMemory;
  #heard: boolean;
  #saving: Promise<void> = Promise.resolve();
  /** Goes up with what plans rest on: slots, and what the data plane did. Counters only make it worth more. */
  #needed = 0;
  /** Up to where that is on disk; and what is on its way there, 0: nothing that may still arrive. */
  #kept = 0;
  #underWay = 0;
  /** What came from the disk was looked at. */
  #allotted = false;
  /** The bindings that were last found to have all their slots. */
  #found: { readonly keys: readonly BindingKey[]; readonly slots: object } | null = null;
  /** Made anew with every change only: whoever is handed the same again need not look at it. */
  #facts: ReturnType<LocalMemory['localFacts']> | null = null;

  constructor(
    private readonly boot: string,
    restored: AgentMemory,
    /** Rejects when it could not be kept. */
    private readonly persist: (memory: AgentMemory) => Promise<void>,
  ) {
    // The switch of an earlier boot is gone with everything on it; what was counted is kept to be closed.
    const same = restored.boot === boot;
    this.#slots = same ? restored.slots : {};
    this.#activations = new Set(same ? restored.activations : []);
    this.#handedOver = new Set(same ? restored.handedOver : []);
    this.#teaming = (same ? restored.teaming : undefined) ?? NO_TEAMING;
    this.#heard = same && (restored.heard ?? true);
    this.#round = (restored.round + 1) & 0xffff;
    this.incarnations = new Map(Object.entries(restored.incarnations) as [BindingKey, Incarnation][]);
  }

  /**
   * Slots for exactly these bindings, none of those that still stand on the switch for another. All that plans rest on
   * is on disk when it resolves: a slot that was used is never lost, nor a fact that the next plan makes its own.
   */
  async allot(
    keys: readonly BindingKey[],
    standing: () => ReadonlySet<number> = () => new Set(),
  ): Promise<void> {
    if (this.#allotted && this.#haveAll(keys)) return this.#owed();
    const next = allotSlots(this.#slots, keys, standing());
    this.#allotted = true;
    if (JSON.stringify(next) === JSON.stringify(this.#slots)) return this.#owed();
    this.#slots = next;
    this.#facts = null;
    this.#needed += 1;
    const wanted = new Set<string>(keys);
    for (const key of this.#activations) if (!wanted.has(key)) this.#activations.delete(key);
    for (const key of this.#handedOver) if (!wanted.has(key)) this.#handedOver.delete(key);
    for (const key of this.#turnedAt.keys()) if (!wanted.has(key)) this.#turnedAt.delete(key);
    await this.save();
  }

  /** Just these have slots: most passes want the same bindings as the one before. */
  #haveAll(keys: readonly BindingKey[]): boolean {
    const slots = this.#slots;
    if (this.#found?.keys === keys && this.#found.slots === slots) return true;
    const all =
      keys.every((key) => slots[key] !== undefined) && new Set(keys).size === Object.keys(slots).length;
    if (all) this.#found = { keys, slots };
    return all;
  }

  /**
   * Notes what the data plane did to the binding in a slot; null when that is known, or the slot is nobody's. `at`: when
   * it was noticed, where that was as it happened.
   */
  note(slot: number, active: boolean, at?: number): { readonly port: PortId; readonly epoch: Epoch } | null {
    const key = Object.keys(this.#slots).find((k) => this.#slots[k] === slot);
    const into = active ? this.#activations : this.#handedOver;
    if (key === undefined || into.has(key)) return null;
    into.add(key);
    if (!active && at !== undefined) this.#turnedAt.set(key as BindingKey, at);
    this.#facts = null;
    this.#needed += 1;
    // Awaited, and tried again, by whoever allots next.
    this.save().catch(() => undefined);
    return parseBindingKey(key);
  }

  /** When this run noticed that the binding was turned away: ms since the epoch. */
  turnedAt(key: BindingKey): number | undefined {
    return this.#turnedAt.get(key);
  }

  /** Whether this binding is known to have been opened by its guest's first frame. */
  activated(key: BindingKey): boolean {
    return this.#activations.has(key);
  }

  /** The centre was heard of: what is held is not of before. True: that is news. */
  confirm(): boolean {
    if (this.#heard) return false;
    this.#heard = true;
    this.#facts = null;
    this.#needed += 1;
    return true;
  }

  get teaming(): TeamingMemory {
    return this.#teaming;
  }

  /** On disk when slots are next allotted: plans rest on it. */
  set teaming(now: TeamingMemory) {
    if (now === this.#teaming) return;
    this.#teaming = now;
    this.#facts = null;
    this.#needed += 1;
  }

  localFacts(): Pick<
    LocalFacts,
    'round' | 'slots' | 'activations' | 'handedOver' | 'teaming' | 'unconfirmed'
  > {
    this.#facts ??= {
      round: this.#round,
      teaming: this.#teaming,
      slots: this.#slots,
      activations: [...this.#activations].map(parseBindingKey),
      handedOver: [...this.#handedOver].map(parseBindingKey),
      ...(this.#heard ? {} : { unconfirmed: true as const }),
    };
    return this.#facts;
  }

  /** Rejects when the disk does not take it: nothing may be built on what it would forget. */
  save(): Promise<void> {
    const needed = this.#needed;
    this.#underWay = needed;
    const saving = this.persist({
      schema: 1,
      boot: this.boot,
      slots: this.#slots,
      incarnations: Object.fromEntries(this.incarnations),
      activations: [...this.#activations],
      handedOver: [...this.#handedOver],
      round: this.#round,
      heard: this.#heard,
      teaming: this.#teaming,
    });
    this.#saving = saving.then(
      () => void (this.#kept = Math.max(this.#kept, needed)),
      (cause: unknown) => {
        if (this.#underWay === needed) this.#underWay = 0;
        throw cause;
      },
    );
    return this.#saving;
  }

  /** Counters that the disk did not take hold up no policy. */
  #owed(): Promise<void> {
    if (this.#kept >= this.#needed) return Promise.resolve();
    return this.#underWay === this.#needed ? this.#saving : this.save();
  }
}
