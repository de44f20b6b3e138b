export type {
  Command,
  CommandContext,
  CounterCheckpoint,
  Fact,
  InterfaceFact,
  NumberedFact,
} from './model/commands.js';
export type { DomainEvent, DomainEventType, EventMeta } from './model/events.js';
export type {
  GroupResource,
  HostResource,
  PortResource,
  Resource,
  ResourceKind,
  SwitchResource,
} from './model/resources.js';
export type {
  Binding,
  Connectee,
  DirectionCounters,
  Group,
  Host,
  HypervisorOutcome,
  Ledger,
  Migration,
  MigrationPhase,
  MigrationStep,
  PacketsBytes,
  Port,
  RawCounters,
  Segment,
  Standby,
  State,
  Switch,
} from './model/state.js';
export {
  defaultPolicy,
  effectivePolicy,
  POLICY_FIELDS,
  type Direction,
  type EffectivePolicy,
  type FilterMatch,
  type FilterRule,
  type Policy,
  type PolicyField,
  type PolicyOrigin,
  type PolicyPatch,
  type PortRange,
  type Shaping,
  type Teaming,
  type VlanPolicy,
  type VlanRange,
} from './policy/policy.js';
export { freeze, thaw } from './state/bulk.js';
export { reopen } from './decider/reopen.js';
export { decide, decideAndEvolve, SCHEMA_LEVEL } from './decider/decide.js';
export { evolve } from './decider/evolve.js';
export { initialState } from './state/initial.js';
export { API_VERSION, validateResource } from './manifest/validate.js';
export { specOfGroup, specOfHost, specOfSwitch } from './manifest/define.js';
export { parseFacts } from './facts/shapes.js';
export {
  addCounters,
  atLeast,
  bytesOf,
  equalCounters,
  packetsOf,
  subtractCounters,
  ZERO_COUNTERS,
} from './ledger/counters.js';
export { forgotSegments } from './ledger/give-up.js';
export { inexactSegments, ledgerTotals } from './ledger/ledger.js';
export { decider } from './decider/decider.js';
export { describeEvent } from './events/describe.js';
export { parseEvent } from './events/parse.js';
export {
  EVENT_VERSIONS,
  fromStored,
  toStored,
  upcasters,
  type StoredEvent,
  type Upcaster,
} from './events/versions.js';
export {
  recomputeLedgers,
  verifyLedger,
  type LedgerDifference,
  type RecomputedLedger,
} from './ledger/verify.js';
export { isComplete as isMigrationComplete } from './migration/complete.js';
export { allowanceOf, deadlineOf, hasEnded, PHASE_DURATIONS, runningMigrations } from './migration/phases.js';
export { PROPOSALS, reactionTo, type Input, type Reaction } from './migration/machine.js';
export { MIGRATIONS_KEPT } from './migration/evolve.js';
export { DELETED_KEPT } from './port/deleted.js';
export { effectiveVlan } from './port/segment.js';
export { hostsOf } from './state/next.js';
export { checkInvariants } from './state/invariants.js';
export { stateDigestInput, stateFromJson, type StateJson } from './state/json.js';
export { parseWith, type Shape } from './shape/shape.js';
