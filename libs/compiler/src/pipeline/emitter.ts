import { LEARNED_OWNER, type Action, type Flow, type Group, type Match, type Meter } from '#openflow';
import { cookieOf, objectBits, type FeatureName } from './cookies.js';

/** What the features of one bridge hand in. */
export interface Collected {
  readonly flows: Flow[];
  readonly groups: Group[];
  readonly meters: Meter[];
}

/** A feature's pen: every flow it writes bears its name. */
export class Emitter {
  /** Cookies without their object: a host has thousands of flows. */
  private readonly own: bigint;
  private readonly learned: bigint;

  constructor(
    feature: FeatureName,
    round: number,
    /** Where it writes now. */
    public into: Collected,
  ) {
    this.own = cookieOf(feature, 0, round);
    this.learned = cookieOf(feature, 0, round, LEARNED_OWNER);
  }

  /** `object`: slot, uplink or team; 0 for what belongs to the bridge. */
  flow(table: number, priority: number, match: Match, actions: readonly Action[], object = 0): void {
    const cookie = this.own | objectBits(object);
    this.into.flows.push({ table, priority, match, actions, cookie });
  }

  /** Cookie for rows that the switch learns on behalf of this feature. */
  learnedCookie(object: number): bigint {
    return this.learned | objectBits(object);
  }

  group(group: Group): void {
    this.into.groups.push(group);
  }

  meter(meter: Meter): void {
    this.into.meters.push(meter);
  }
}
