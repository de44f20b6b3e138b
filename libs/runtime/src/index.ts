export {
  clusterDecider,
  clusterRules,
  CODE_VERSION,
  eventCodec,
  stateCodec,
  type ClusterCommit,
  type ClusterListener,
} from './rules.js';
