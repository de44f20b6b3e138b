import { type BridgePlan, type PortPlan, type SteadyPlan } from '../resolve/plan.js';
import { type FeatureName } from './cookies.js';
import { type Emitter } from './emitter.js';

/** Some of a feature's flows for a bridge. */
export interface Part {
  /** Unique within the feature and the bridge. */
  readonly key: string;
  /** Everything that it depends on, as a text. */
  readonly of: string;
  write(out: Emitter): void;
}

/**
 * One feature of the pipeline. `bridge` is called once a bridge, `port` once for each port that is carried out, with
 * what it adds to the tables; of the bridge it may know only what is the same for all ports, so that what it wrote
 * stands until the port itself changes (see memo.ts). `closed` is called for ports that are not: retired, or with an exception.
 */
export interface Feature {
  readonly name: FeatureName;
  bridge?(bridge: SteadyPlan, out: Emitter): void;
  /** What hangs on less than the whole bridge, and stands while that is the same. */
  parts?(
    bridge: Pick<BridgePlan, 'ports' | 'sets' | 'switch' | 'privateVlans' | 'multicast'>,
  ): readonly Part[];
  port?(port: PortPlan, out: Emitter, bridge: Pick<BridgePlan, 'mtu'>): void;
  closed?(port: PortPlan, out: Emitter): void;
}
