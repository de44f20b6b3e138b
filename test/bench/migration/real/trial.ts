import { type LabVm } from '../../../lab/net.js';
import { GUEST_IP, streamOf, type SendingGuest, type Stream } from '../../../lab/sending.js';
import { pause } from '../../support/until.js';
import { SPACING_MS } from '../trial.js';

const PPS = 1_000 / SPACING_MS;
/** The streams have become what they are by then. */
const BEFORE_MS = 200;
/** What went the old way has come by then, or will not. */
const AFTER_MS = 700;
const SETTLED_MS = 60_000;
const PORT = 5_001;

/** When QEMU stopped a guest, and when it let it go on: ms since the epoch. */
export interface Standstill {
  readonly from: number;
  readonly to: number;
}

/** A guest with a kernel of its own, another host's that it speaks with, and one way to move it. */
export interface Mover {
  readonly name: string;
  readonly guest: SendingGuest;
  readonly mac: string;
  readonly peer: LabVm;
  /** To the other of its two hosts. Resolves when it runs there. */
  move(): Promise<Standstill>;
  /** What is left to be done, some time later. */
  finish(): Promise<void>;
}

/** One move, seen by numbered packets both ways. Counts are of packets. */
export interface Seen {
  /** The guest's own pause, ms. */
  readonly pauseMs: number;
  /** To the guest, and lost: sent before it stood still, while it did, and afterwards. */
  readonly to: { readonly before: number; readonly during: number; readonly after: number };
  /** Answered twice. */
  readonly toDoubled: number;
  /** Sent by the guest, and lost. It sends nothing while it stands still. */
  readonly from: number;
  readonly fromDoubled: number;
  /** From the last that came of it before it stood still to the first after, ms. */
  readonly silenceMs: number;
}

const streamTo = (peer: LabVm): Stream => ({ to: peer, port: PORT, pps: PPS });

/** Makes a guest ready for its trials. */
export async function prepare(guest: SendingGuest, peer: LabVm): Promise<void> {
  await guest.speakWith(peer);
  await guest.define([streamTo(peer)]);
}

/**
 * The peer sends the guest an echo request every 2 ms: what its kernel answers it has got. The guest numbers packets of
 * its own at the same pace: by its own clock, which stands still with it.
 */
export async function trial(mover: Mover): Promise<Seen> {
  const { guest, mac, peer } = mover;
  const stream = streamTo(peer);
  const asking = peer.send({ to: { mac, ip: GUEST_IP }, pps: PPS, echo: true });
  let still: Standstill;
  try {
    await guest.startGenerating();
    await settled(mover, stream);
    still = await mover.move();
    await pause(AFTER_MS);
    await mover.finish();
  } finally {
    await peer.stopSending();
    await asking;
  }
  const [sent = NaN] = await guest.stopGenerating([stream]);
  await pause(BEFORE_MS);
  return seenBy(mover, stream, sent, still);
}

async function seenBy({ peer, mac }: Mover, stream: Stream, sent: number, still: Standstill): Promise<Seen> {
  const [answers, own] = [await peer.receivedFrom(peer, mac), await peer.receivedOf(streamOf(stream))];
  const unanswered = await peer.unanswered(mac);
  const count = (isIt: (at: number) => boolean): number => unanswered.filter(isIt).length;
  // What was on its way when the guest stopped came too late for it: no longer than from one packet to the next.
  const from = still.from - SPACING_MS;
  return {
    pauseMs: still.to - still.from,
    to: {
      before: count((at) => at < from),
      during: count((at) => at >= from && at <= still.to),
      after: count((at) => at > still.to),
    },
    toDoubled: answers.duplicates,
    from: sent + 1 - own.first - own.unique,
    fromDoubled: own.duplicates,
    silenceMs: await peer.silence(streamOf(stream), still),
  };
}

/** Resolves when either gets everything that the other sends. From then on it is counted. */
async function settled({ peer, mac }: Mover, stream: Stream): Promise<void> {
  const end = performance.now() + SETTLED_MS;
  for (;;) {
    await peer.resetReceived();
    await pause(BEFORE_MS);
    const both = [await peer.receivedFrom(peer, mac), await peer.receivedOf(streamOf(stream))];
    const enough = BEFORE_MS / SPACING_MS / 2;
    if (both.every((s) => s.unique >= enough && s.last - s.first + 1 === s.unique)) return;
    if (performance.now() > end) throw new Error(`nothing to lose: ${JSON.stringify(both)}`);
  }
}
