/** What of the domain a host works with. Without state and deciders, which it has no use for and would have to hold. */
export { parseFacts } from '../facts/shapes.js';
export { ZERO_COUNTERS } from '../ledger/counters.js';
export { defaultPolicy, effectivePolicy, POLICY_FIELDS } from '../policy/policy.js';
