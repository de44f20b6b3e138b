export { handTo, readTold, sendAs, type Told } from './answers.js';
export { BEACON } from './beacon.js';
export { bridgeName } from './bridge-name.js';
export { compile } from './compile.js';
export { CompileMemo } from './memo.js';
export { countIn, countOut, HOST_METERS, meterSlot, portMeter, shapingMeter } from './meters.js';
export { decodeNotice, encodeNotice, type Notice, type NoticeKind } from './notice.js';
export { REFUSED_FLOWS, refusedFrames } from './features/refused.js';
export { announceBy, askLease, LEASE_ROW, leaseStands, renewLease } from './features/lease.js';
export { PNIC_FLOWS, pnicCounts, type PnicCounts } from './features/pnic.js';
export { PROBE } from './features/health.js';
export { FEATURE_CODES, type FeatureName } from './pipeline/cookies.js';
export { REG } from './pipeline/registers.js';
export { PIPELINE, TABLE_NAMES, TABLES, type TableName, type TableSpec } from './pipeline/tables.js';
export { deliverTo, standingMulticast } from './features/multicast/standing.js';
export { type NoticedRule } from './rule-notice.js';
export { allotSlots, MAX_SLOT, slotKey } from './slots.js';
export type {
  Carried,
  ClassMeters,
  Compiled,
  CompiledBinding,
  CompileException,
  Desired,
  ExceptionCode,
  GroupAddress,
  KeepsState,
  LocalFacts,
  MulticastFacts,
  PnicFacts,
  PortEpoch,
  Speaks,
  TeamingFacts,
  Uplink,
} from './types.js';
export { enterAs, isAdopted, seenBy } from './features/state/adopt.js';
export { othersHere } from './features/state/others.js';
export { connectionsLeft, zonesOf } from './features/state/forget.js';
export { slotOfZone, zoneOfSlot } from './features/state/zones.js';
