/** From, to; ms. */
export type Span = readonly [low: number, high: number];

/**
 * The order of events of one kind of hypervisor.
 *
 * |  | libvirt | QEMU by its monitor |
 * | --- | --- | --- |
 * | taps at the destination | seconds before the switch, by libvirt | by whoever starts the QEMU there, which may never come |
 * | held until the destination is ready | copies slowly, goes in the end all the same | is not asked, gives up in the end |
 * | `started` | with the first tap | when the destination listens |
 * | `completed` | after the guest runs at the destination | before or after it does |
 * | guest stands still | a third of a second | some milliseconds |
 * | the source's tap | its device goes at once, its row up to 2 s later | goes when that QEMU is ended: by who ordered the move |
 */
export interface OrderOfEvents {
  /** Until the destination's taps are plugged. */
  readonly arrival: Span;
  /** How likely nobody gets ready there. */
  readonly nobody: number;
  readonly startsEarly: boolean;
  /** The destination is not waited for without end. */
  readonly goesAnyhow: boolean;
  /** From the guest's stop at the source until it runs at the destination. */
  readonly gap: Span;
  /** How likely `completed` is said within that gap. */
  readonly completesEarly: number;
  /** From when it runs there to the word of it. */
  readonly word: Span;
  /** How long the row of the source's tap stands after its device went; null: device and row go together, at the end of QEMU. */
  readonly row: Span | null;
}

export type Kind = 'libvirt' | 'qemu';

export const ORDERS: Readonly<Record<Kind, OrderOfEvents>> = {
  libvirt: {
    arrival: [1, 100],
    nobody: 0,
    startsEarly: true,
    goesAnyhow: true,
    gap: [0.5, 370],
    completesEarly: 0,
    word: [0.1, 60],
    row: [1, 2_000],
  },
  qemu: {
    arrival: [1, 400],
    nobody: 0.03,
    startsEarly: false,
    goesAnyhow: false,
    gap: [0.5, 12],
    completesEarly: 0.4,
    word: [0.1, 20],
    row: null,
  },
};

/** When a guest that arrived announces itself: from when it runs on. Each vNIC five times in 0.9 s. */
export const ANNOUNCEMENTS: readonly Span[] = [
  [0.1, 2],
  [50, 55],
  [200, 210],
  [450, 460],
  [800, 900],
];
