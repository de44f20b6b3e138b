/**
 * Every flow of ours bears a cookie: `owner 16 bits | round 16 | feature 8 | object 24`.
 *
 * - owner says whose flow it is: ours to install and remove, or learned by the switch by our order (a fact).
 * - round is the agent's round of writing; it says which run wrote the flow and never makes two flows different.
 * - feature and object say what the flow is for (a rule of a port's filter, say), so that statistics can be asked by
 *   cookie and mask.
 */
export interface Cookie {
  readonly owner: number;
  /** 0 to 65,535. */
  readonly round: number;
  /** 0 to 255. */
  readonly feature: number;
  /** 0 to 16,777,215. */
  readonly object: number;
}

export const OWNER = 0x5e70;
/** Flows that `learn` added: facts, never swept. */
export const LEARNED_OWNER = 0x5e71;

/** Masks for asking by cookie. */
export const OWNER_MASK = 0xffff_0000_0000_0000n;
export const FEATURE_MASK = 0x0000_0000_ff00_0000n;
export const OBJECT_MASK = 0x0000_0000_00ff_ffffn;
/** Everything but the round: what two equal flows agree in. */
export const MEANING_MASK = 0xffff_0000_ffff_ffffn;

/** Throws a RangeError on a part that doesn't fit its bits: cut off, it would name another object. */
export function makeCookie(
  parts: Partial<Cookie> & { readonly feature: number; readonly object: number },
): bigint {
  const { owner = OWNER, round = 0, feature, object } = parts;
  const word = fits('owner', owner, 16) * 0x10000 + fits('round', round, 16);
  return (BigInt(word) << 32n) | BigInt(fits('feature', feature, 8) * 0x1000000 + fits('object', object, 24));
}

export function parseCookie(cookie: bigint): Cookie {
  const high = Number(cookie >> 32n);
  const low = Number(cookie & 0xffffffffn);
  return { owner: high >>> 16, round: high & 0xffff, feature: low >>> 24, object: low & 0xffffff };
}

// Asked of every flow at every pass: comparing makes no new numbers, shifting does.
const OURS = BigInt(OWNER) << 48n;
const LEARNED = BigInt(LEARNED_OWNER) << 48n;
const AFTER_LEARNED = BigInt(LEARNED_OWNER + 1) << 48n;

export const isOurs = (cookie: bigint): boolean => cookie >= OURS && cookie < LEARNED;
export const isLearned = (cookie: bigint): boolean => cookie >= LEARNED && cookie < AFTER_LEARNED;

/** Whether two cookies say the same, whichever round wrote them. */
export const sameMeaning = (a: bigint, b: bigint): boolean => ((a ^ b) & MEANING_MASK) === 0n;

/** The cookie as written in another round. */
export const inRound = (cookie: bigint, round: number): bigint =>
  (cookie & MEANING_MASK) | (BigInt(fits('round', round, 16)) << 32n);

function fits(what: string, value: number, bits: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
    throw new RangeError(`${what} ${value} does not fit ${bits} bits`);
  }
  return value;
}
