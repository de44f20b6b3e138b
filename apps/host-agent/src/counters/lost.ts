import { type PortStats } from '#openflow';

/** What the meters of a binding counted that it sent, and the age of the youngest of them. */
export interface Counted {
  readonly packets: number;
  readonly ageMs: number;
}

/** A binding's device against its meters, since both were first seen. */
export interface Loss {
  readonly ofport: number;
  readonly counted: Counted;
  /** What the device had taken more than the meters, when they were first compared. */
  readonly before: number;
  readonly errors: Errors;
  readonly lost: number;
}

interface Errors {
  readonly in: number;
  readonly out: number;
}

/** A comparison holds as long as its device and its meters are the same ones. */
export const continues = (
  loss: Loss | undefined,
  ofport: number,
  { packets, ageMs }: Counted,
): loss is Loss => loss?.ofport === ofport && packets >= loss.counted.packets && ageMs >= loss.counted.ageMs;

/** `device` as read after the meters: what went by in between must not look lost later. */
export const compared = (ofport: number, counted: Counted, device: PortStats): Loss => ({
  ofport,
  counted,
  before: whole(device.rxPackets) - counted.packets,
  errors: errorsOf(device),
  lost: 0,
});

/** `device` as read before the meters, for the same reason: at least so much is lost, and is not found again. */
export const comparedAgain = (loss: Loss, counted: Counted, device: PortStats): Loss => ({
  ...loss,
  counted,
  lost: Math.max(loss.lost, whole(device.rxPackets) - loss.before - counted.packets),
});

/** Errors since the first comparison; a device that was made anew under the same number has none from before. */
export function errorsSince({ errors }: Loss, device: PortStats): Errors {
  const now = errorsOf(device);
  return { in: since(errors.in, now.in), out: since(errors.out, now.out) };
}

const since = (before: number, now: number): number => (now < before ? now : now - before);

const errorsOf = (device: PortStats): Errors => ({
  in: whole(device.rxErrors),
  out: whole(device.txErrors),
});

/** All ones stand for what the device does not count. */
export const whole = (n: bigint): number => (n > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(n));
