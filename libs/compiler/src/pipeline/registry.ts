import { activity } from '../features/activity.js';
import { bandwidth } from '../features/bandwidth.js';
import { beacon } from '../features/beacon.js';
import { count } from '../features/count.js';
import { discovery } from '../features/discovery.js';
import { dispatch } from '../features/dispatch.js';
import { filter } from '../features/filter/filter.js';
import { flood } from '../features/flood.js';
import { forward } from '../features/forward.js';
import { guard } from '../features/guard.js';
import { health } from '../features/health.js';
import { deliver } from '../features/output.js';
import { mirror } from '../features/mirror/mirror.js';
import { pnic } from '../features/pnic.js';
import { refused } from '../features/refused.js';
import { lease } from '../features/lease.js';
import { learning } from '../features/learning.js';
import { multicast } from '../features/multicast/multicast.js';
import { privateVlan } from '../features/private-vlan.js';
import { sampling } from '../features/sampling.js';
import { security } from '../features/security.js';
import { sets } from '../features/sets/sets.js';
import { segment } from '../features/segment.js';
import { shaping } from '../features/shaping.js';
import { spoofing } from '../features/spoofing/spoofing.js';
import { state } from '../features/state/state.js';
import { teaming } from '../features/teaming.js';
import { type Feature } from './feature.js';

/** Every feature of the pipeline, in the order a frame meets them. The one place where a feature is registered. */
export const FEATURES: readonly Feature[] = [
  count,
  mirror,
  sampling,
  bandwidth,
  shaping,
  guard,
  beacon,
  segment,
  discovery,
  health,
  privateVlan,
  security,
  spoofing,
  activity,
  lease,
  learning,
  refused,
  sets,
  state,
  filter,
  forward,
  flood,
  multicast,
  dispatch,
  pnic,
  teaming,
  deliver,
];
