export {
  clusterDecider,
  clusterRules,
  CODE_VERSION,
  eventCodec,
  stateCodec,
  type ClusterCommit,
  type ClusterListener,
} from './rules.js';
export { logCheck, storeCheck } from './log-check.js';
export { archiveIn, openLog, snapshotRules, type LogPlace, type OpenLog } from './open-log.js';
export { patiently } from './patiently.js';
export { PhaseWatch } from './phase-watch.js';
