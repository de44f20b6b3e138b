export type {
  BridgeObservation,
  BridgePort,
  BridgeState,
  BundleMod,
  DataplaneState,
  Driver,
  DriverEvent,
  FlowChange,
  MeterMod,
  Observation,
  ObservedInterface,
  ObservedRow,
  ObservedRows,
  OvsdbChange,
  OwnedPieces,
  Piece,
  Pieces,
  Step,
} from './dataplane.js';
export {
  PORT_DATA,
  sameExports,
  type BridgeExports,
  type BridgeSettings,
  type CollectorSet,
  type IpfixExport,
  type KeptSettings,
  type OwnDevice,
  type LinkBond,
  type PortSettings,
  type SflowExport,
} from './rows.js';
export { type TrackedConnection, type WholeTuple } from './connections.js';
export { CT_STATE, FIELDS, type FieldName } from './fields.js';
export type {
  Action,
  ActionKind,
  Bucket,
  ControllerAction,
  CtAction,
  FieldMatch,
  Flow,
  FlowStats,
  Group,
  GroupSelection,
  GroupStats,
  LearnAction,
  LearnSpec,
  Match,
  Meter,
  MeterStats,
  MoveAction,
  OfPort,
  OutputPort,
  PortStats,
  SampleAction,
  SetFieldAction,
  SubField,
  TableStats,
} from './model.js';
export { decode, type Decoded } from './wire/decode.js';
export { encode } from './wire/encode.js';
export { errorText } from './wire/errors.js';
export { Framer } from './wire/framer.js';
export type {
  AsyncMasks,
  BundleControl,
  BundleFlags,
  CtFilter,
  CtTuple,
  FlowFilter,
  FlowMod,
  FlowMonitorRequest,
  FlowUpdate,
  GroupMod,
  MeterModMessage,
  OfMessage,
  OfMessageKind,
  PacketIn,
  UnreadableFlow,
} from './wire/messages.js';
export { applyStep, observe } from './apply-step.js';
export { follow, withRows } from './follow.js';
export {
  BRIDGE_CONFIG,
  BRIDGE_PROTOCOLS,
  bridgeDrift,
  keptSettings,
  portDrift,
  pluggedSettings,
  type PortBaseline,
  type SettingDifference,
} from './settings.js';
export { standing, standsAlone } from './standing.js';
export { diffSince, samePieces } from './diff-since.js';
export {
  FEATURE_MASK,
  inRound,
  isLearned,
  isOurs,
  LEARNED_OWNER,
  makeCookie,
  MEANING_MASK,
  OBJECT_MASK,
  OWNER,
  OWNER_MASK,
  parseCookie,
  sameMeaning,
  type Cookie,
} from './cookie.js';
export { diff, type DiffOptions } from './diff.js';
export { tableDigest } from './digest.js';
export {
  actionsKey,
  COUNT_RATE,
  flowKey,
  flowPlace,
  isCountMeter,
  matchKey,
  sameFlow,
  sameGroup,
  sameMeter,
  type FlowIdentity,
} from './identity.js';
export { order, type OrderOptions } from './order.js';
export {
  isEmptyDelta,
  PLUGGED_MARK,
  SWITCH_MARK,
  type BridgePlan,
  type Delta,
  type Plan,
  type PlanException,
  type PortPlan,
} from './plan.js';
export { overlap } from './tightens.js';
export { formatAction, type TextOptions } from './text/actions.js';
export { formatFlow, formatFlows, formatGroup, formatMatch, formatMeter } from './text/format.js';
export { formatField } from './text/values.js';
export { references } from './references.js';
