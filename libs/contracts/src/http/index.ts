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
export { PolicyView } from './policy.js';
export {
  ExceptionView,
  GroupView,
  HostView,
  LedgerView,
  MigrationView,
  PortDescription,
  PortView,
  SetView,
  SwitchView,
} from './views.js';
export {
  AbortRequest,
  ConnectRequest,
  EventList,
  GiveUpRequest,
  EventView,
  GroupStats,
  MigrateRequest,
  MoveRequest,
  OverrideRequest,
  PortStats,
  ReplayReport,
  Status,
} from './operations.js';
