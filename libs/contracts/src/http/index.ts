export {
  API_VERSION,
  Change,
  CountersView,
  ErrorDetail,
  listOf,
  ProblemBody,
  Realised,
  Timestamp,
  WriteResult,
  type ListOf,
} from './common.js';
export {
  AbortEvacuationRequest,
  EvacuateRequest,
  EvacuationDescription,
  EvacuationView,
  GUEST_STATES,
} from './evacuations.js';
export { MigrationDescription } from './migrations.js';
export { PolicyView } from './policy.js';
export {
  ExceptionView,
  GroupView,
  HostView,
  LedgerView,
  MigrationView,
  NeighbourView,
  PortDescription,
  PortView,
  SetView,
  SwitchView,
  UplinkHealthView,
} from './views.js';
export {
  AbortRequest,
  ConnectRequest,
  EventList,
  GiveUpRequest,
  EventView,
  LedgerAudit,
  LedgerAuditLine,
  MigrateRequest,
  MoveRequest,
  OverrideRequest,
  ReplayReport,
  Status,
} from './operations.js';
export {
  CountersReset,
  GroupStats,
  PortHistory,
  PortStats,
  ResetRequest,
  UplinkCounts,
  UplinkStats,
} from './statistics.js';
export { RuleLogEntry, RuleLogList } from './rule-log.js';
