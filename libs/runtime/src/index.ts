export {
  clusterDecider,
  clusterRules,
  CODE_VERSION,
  eventCodec,
  stateCodec,
  type ClusterCommit,
  type ClusterListener,
} from './rules.js';
export { patiently } from './patiently.js';
export { documentSigner, documentVerifier } from './keys.js';
