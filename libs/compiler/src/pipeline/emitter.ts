import { LEARNED_OWNER, type Action, type Flow, type Group, type Match, type Meter } from '#openflow';
import { cookieOf, type FeatureName } from './cookies.js';

/** What the features of one bridge hand in. */
export interface Collected {
  readonly flows: Flow[];
  readonly groups: Group[];
  readonly meters: Meter[];
}

/** A feature's pen: every flow it writes bears its name. */
export class Emitter {
  constructor(
    private readonly feature: FeatureName,
    private readonly round: number,
    private readonly into: Collected,
  ) {}

  /** `object`: slot, uplink or team; 0 for what belongs to the bridge. */
  flow(table: number, priority: number, match: Match, actions: readonly Action[], object = 0): void {
    const cookie = cookieOf(this.feature, object, this.round);
    this.into.flows.push({ table, priority, match, actions, cookie });
  }

  /** Cookie for rows that the switch learns on behalf of this feature. */
  learnedCookie(object: number): bigint {
    return cookieOf(this.feature, object, this.round, LEARNED_OWNER);
  }

  group(group: Group): void {
    this.into.groups.push(group);
  }

  meter(meter: Meter): void {
    this.into.meters.push(meter);
  }
}
