export type { Command, CommandContext, Fact, InterfaceFact, NumberedFact } from './model/commands.js';
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
export { decide, SCHEMA_LEVEL } from './decider/decide.js';
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
export { inexactSegments, ledgerTotals } from './ledger/ledger.js';
