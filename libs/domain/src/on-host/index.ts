/** What of the domain a host works with. Without state and deciders, which it has no use for and would have to hold. */
export { parseFacts } from '../facts/shapes.js';
export { ZERO_COUNTERS } from '../ledger/counters.js';
export { defaultPolicy, effectivePolicy, POLICY_FIELDS } from '../policy/policy.js';
export { RULE_ACTIONS, TCP_FLAGS, LAST_TIER, NO_FILTER, USUAL_TIER } from '../policy/filter.js';
export { SHARES, TEAMING_MODES, TRAFFIC_CLASSES } from '../policy/fields.js';
export { fullPolicy, shortPolicy, without } from '../policy/forms.js';
export { NO_FEATURES } from '../switch/spec.js';
export { LEASE } from '../host/lease.js';
export { ABILITIES } from '../model/abilities.js';
