import { makeCookie } from '#openflow';

/** Feature numbers in cookies: never given to another feature again. From 200 on they are left to experiments. */
export const FEATURE_CODES = {
  count: 1,
  shaping: 2,
  guard: 3,
  segment: 4,
  security: 5,
  activity: 6,
  filter: 7,
  forward: 8,
  flood: 9,
  teaming: 10,
  output: 11,
  dispatch: 12,
  'private-vlan': 13,
  spoofing: 14,
  learning: 15,
  sets: 16,
  state: 17,
  multicast: 18,
  mirror: 19,
  sampling: 20,
  discovery: 21,
  health: 22,
  bandwidth: 23,
  lacp: 24,
  beacon: 25,
  log: 26,
  pnic: 27,
  refused: 28,
  lease: 29,
} as const;

export type FeatureName = keyof typeof FEATURE_CODES;

const OBJECT_BITS = 0xff_ffff;
const RULE_SHIFT = 14;

/** An object's part of a cookie. */
export const objectBits = (object: number): bigint => BigInt(object & OBJECT_BITS);

/** Objects are slots, uplinks or teams; a hashed team keeps its lower 24 bits, which serves statistics only. */
export const cookieOf = (feature: FeatureName, object: number, round: number, owner?: number): bigint =>
  makeCookie({
    feature: FEATURE_CODES[feature],
    object: object & OBJECT_BITS,
    round,
    ...(owner === undefined ? {} : { owner }),
  });

/** Object number of a filter rule: slot (14 bits) and the rule's place in its list (10 bits). */
export const ruleObject = (slot: number, index: number): number => slot | (index << RULE_SHIFT);

/** In the place of a rule's index, which never gets as far: in the flows that choose a list which keeps state. */
export const KEEPS_STATE = 1022;
/** What no rule takes. */
export const NO_RULE = 1023;

/** The other way round: which rule's flow it is. */
export const ruleIndex = (cookie: bigint): number => Number(cookie & BigInt(OBJECT_BITS)) >>> RULE_SHIFT;
