import { type LabVm } from '../../lab/net.js';
import { type StreamReceived } from '../../lab/frames.js';
import { pause } from '../support/until.js';

/** Between two frames of a stream, ms. */
export const SPACING_MS = 2;
/** The streams have become what they are by then. */
const BEFORE_MS = 200;
/** What went the old way has come by then, or will not. */
const AFTER_MS = 700;
const QUIET_MS = 200;
/** Of a network that has to find out where the guest is before another trial begins. */
const SETTLED_MS = 30_000;

/** The guest that moves, and another host's that it speaks with. */
export interface Guests {
  readonly moving: LabVm;
  readonly peer: LabVm;
}

/** One way to move a guest to the other of its two hosts. */
export interface Way {
  readonly name: string;
  /** Everything that happens while the guest still runs where it was. */
  prepare(): Promise<void>;
  /** The guest goes on at the destination. */
  switch(): Promise<void>;
  /** What is left to be done, some time later. */
  finish(): Promise<void>;
}

export interface Direction {
  readonly lost: number;
  /** Frames in a row that never came, by their spacing. */
  readonly blackoutMs: number;
  /** The longest time between two that came. */
  readonly gapMs: number;
  /** Frames that came more than once, or also to where the guest did not run. */
  readonly doubled: number;
}

export interface Seen {
  readonly to: Direction;
  readonly from: Direction;
}

/** One move, seen by numbered frames both ways. */
export async function trial({ moving, peer }: Guests, way: Way): Promise<Seen> {
  const sending = begin({ moving, peer });
  try {
    await settled({ moving, peer });
    await way.prepare();
    await pause(BEFORE_MS);
    await way.switch();
    await pause(AFTER_MS);
    await way.finish();
  } finally {
    await Promise.all([moving.stopSending(), peer.stopSending()]);
    await sending;
  }
  await pause(QUIET_MS);
  return seenBy({ moving, peer });
}

async function begin({ moving, peer }: Guests): Promise<void> {
  const pps = 1_000 / SPACING_MS;
  await Promise.all([moving.send({ to: peer, pps }), peer.send({ to: moving, pps })]);
}

/** Resolves when both get everything that the other sends. From then on it is counted. */
async function settled(guests: Guests): Promise<void> {
  const end = performance.now() + SETTLED_MS;
  for (;;) {
    await Promise.all([guests.moving.resetReceived(), guests.peer.resetReceived()]);
    await pause(BEFORE_MS);
    const [moving, peer] = await received(guests);
    const enough = BEFORE_MS / SPACING_MS / 2;
    if ([moving, peer].every((s) => s.count >= enough && lost(s) === 0)) return;
    if (performance.now() > end)
      throw new Error(`nothing to lose: ${JSON.stringify({ to: direction(moving), from: direction(peer) })}`);
  }
}

const received = ({ moving, peer }: Guests): Promise<readonly [StreamReceived, StreamReceived]> =>
  Promise.all([moving.receivedFrom(peer), peer.receivedFrom(moving)]);

async function seenBy(guests: Guests): Promise<Seen> {
  const [to, from] = await received(guests);
  return { to: direction(to), from: direction(from) };
}

const lost = ({ first, last, unique }: StreamReceived): number => last - first + 1 - unique;

const direction = (s: StreamReceived): Direction => ({
  lost: lost(s),
  blackoutMs: s.longest * SPACING_MS,
  gapMs: s.gapMs,
  doubled: s.doubled + s.duplicates,
});
