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
  AddressSetResource,
  GroupResource,
  HostResource,
  PortResource,
  PortSetResource,
  Resource,
  ResourceKind,
  SwitchResource,
} from './model/resources.js';
export type {
  AddressSet,
  Binding,
  Connectee,
  DirectionCounters,
  EvacuatedGuest,
  Evacuation,
  EvacuationPhase,
  EvacuationRefusal,
  EvacuationTry,
  Group,
  Host,
  HypervisorOutcome,
  Ledger,
  MemberSet,
  Migration,
  MigrationPhase,
  MigrationStep,
  PacketsBytes,
  Port,
  PortSet,
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
  USUAL_TEAMING,
  type EffectivePolicy,
  type Policy,
  type PolicyField,
  type PolicyOrigin,
  type PolicyPatch,
} from './policy/policy.js';
export {
  SHARES,
  TEAMING_MODES,
  TRAFFIC_CLASSES,
  type Addresses,
  type Bandwidth,
  type MacLearning,
  type Macs,
  type Shaping,
  type Teaming,
  type TeamingMode,
  type TrafficClass,
  type VlanPolicy,
  type VlanRange,
} from './policy/fields.js';
export {
  LAST_TIER,
  NO_FILTER,
  RULE_ACTIONS,
  TCP_FLAGS,
  USUAL_TIER,
  type Direction,
  type Filter,
  type FilterMatch,
  type FilterRule,
  type PortRange,
  type RuleAction,
  type RuleLog,
  type RuleMark,
  type RuleRate,
  type TcpFlag,
  type TcpFlags,
} from './policy/filter.js';
export {
  featuresOf,
  NO_FEATURES,
  type ClassBandwidth,
  type Discovery,
  type Ipfix,
  type Lag,
  type Mirror,
  type MirrorSource,
  type MirrorTarget,
  type PrivateVlan,
  type Sflow,
  type SwitchBandwidth,
  type SwitchFeatures,
} from './switch/spec.js';
export { freeze, thaw } from './state/bulk.js';
export { reopen } from './decider/reopen.js';
export { decide, decideAndEvolve, SCHEMA_LEVEL } from './decider/decide.js';
export { evolve } from './decider/evolve.js';
export { initialState } from './state/initial.js';
export { API_VERSION, validateResource } from './manifest/validate.js';
export { specOfHost } from './host/spec.js';
export { specOfGroup, specOfSet, specOfSwitch } from './manifest/define.js';
export { MOST_MEMBERS } from './manifest/shapes.js';
export { MOST_SETS_IN_USE } from './set/check.js';
export { membersOf, setsNamedBy, setsOfPort, usersOf, type SetMembers } from './set/members.js';
export { parseFacts } from './facts/shapes.js';
export {
  addCounters,
  atLeast,
  bytesOf,
  equalCounters,
  packetsOf,
  countersSince,
  subtractCounters,
  ZERO_COUNTERS,
} from './ledger/counters.js';
export { LEASE } from './host/lease.js';
export { isolates, notIsolated, surelyIsolates } from './host/waiting.js';
export { isAble } from './host/abilities.js';
export { ABILITIES } from './model/abilities.js';
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
export { LedgerRecount, type RecomputedLedger } from './ledger/recount.js';
export { compareLedgers, recomputeLedgers, verifyLedger, type LedgerDifference } from './ledger/verify.js';
export { isComplete as isMigrationComplete } from './migration/complete.js';
export {
  allowanceOf,
  deadlineOf,
  hasEnded,
  stayedAtSource,
  PHASE_DURATIONS,
  runningMigrations,
} from './migration/phases.js';
export { EVACUATIONS_KEPT } from './evacuation/evolve.js';
export { guestsOn, guestStates, isOver, runningEvacuations, type GuestState } from './evacuation/guests.js';
export { nextStep } from './evacuation/plan.js';
export { PROPOSALS, reactionTo, type Input, type Reaction } from './migration/machine.js';
export { MIGRATIONS_KEPT } from './migration/evolve.js';
export { DELETED_KEPT } from './port/deleted.js';
export { effectiveVlan } from './port/segment.js';
export { hostsOf } from './state/next.js';
export { checkInvariants } from './state/invariants.js';
export { stateDigestInput, stateFromJson, type StateJson } from './state/json.js';
export { parseWith, type Shape } from './shape/shape.js';
