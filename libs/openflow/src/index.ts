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
  OvsdbChange,
  Step,
} from './dataplane.js';
export { FIELDS, type FieldName } from './fields.js';
export type {
  Action,
  ActionKind,
  Bucket,
  FieldMatch,
  Flow,
  FlowStats,
  Group,
  LearnAction,
  LearnSpec,
  Match,
  Meter,
  MeterStats,
  OfPort,
  OutputPort,
  SubField,
} from './model.js';
export { decode, type Decoded } from './wire/decode.js';
export { encode } from './wire/encode.js';
export { Framer } from './wire/framer.js';
export type {
  AsyncMasks,
  BundleControl,
  BundleFlags,
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
