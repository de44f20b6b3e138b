/** Numbers of OpenFlow 1.5 and of the Nicira extensions, as Open vSwitch 3.1 speaks them. */

export const OFP_VERSION = 0x06;
export const HEADER_BYTES = 8;
export const NICIRA = 0x00002320;
/** Netronome's experimenter id: the selection method of groups. */
export const NTR = 0x0000154d;

export const TYPE = {
  hello: 0,
  error: 1,
  echoRequest: 2,
  echoReply: 3,
  experimenter: 4,
  featuresRequest: 5,
  featuresReply: 6,
  getConfigRequest: 7,
  getConfigReply: 8,
  setConfig: 9,
  packetIn: 10,
  flowRemoved: 11,
  portStatus: 12,
  packetOut: 13,
  flowMod: 14,
  groupMod: 15,
  multipartRequest: 18,
  multipartReply: 19,
  barrierRequest: 20,
  barrierReply: 21,
  setAsync: 28,
  meterMod: 29,
  bundleControl: 33,
  bundleAdd: 34,
  requestForward: 32,
} as const;

export const MULTIPART = {
  flow: 1,
  tableStats: 3,
  portStats: 4,
  groupStats: 6,
  groupDesc: 7,
  meterStats: 9,
  meterConfig: 10,
  portDesc: 13,
  flowMonitor: 16,
} as const;

export const NXT = { setPacketInFormat: 16, ctFlushZone: 29, packetIn2: 30, ctFlush: 32 } as const;

export const ACTION = {
  output: 0,
  pushVlan: 17,
  popVlan: 18,
  group: 22,
  setField: 25,
  copyField: 28,
  meter: 29,
  experimenter: 0xffff,
} as const;

export const NXAST = {
  resubmitTable: 14,
  learn: 16,
  controller: 20,
  sample: 29,
  ct: 35,
  controller2: 37,
  outputTrunc: 39,
  sample3: 41,
  clone: 42,
  ctClear: 43,
  learn2: 45,
} as const;

export const PORT = {
  inPort: 0xfffffff8,
  normal: 0xfffffffa,
  controller: 0xfffffffd,
  local: 0xfffffffe,
  any: 0xffffffff,
} as const;

/** `OFPP_IN_PORT` in the 16 bits of the Nicira actions. */
export const NX_IN_PORT = 0xfff8;

export const ANY_GROUP = 0xffffffff;
export const ALL_GROUPS = 0xfffffffc;
export const ALL_METERS = 0xffffffff;
export const ALL_TABLES = 0xff;
export const NO_BUFFER = 0xffffffff;

/** OFPC_FRAG_NX_MATCH: fragments are matched by what they have. */
export const FRAGMENTS_MATCH = 3;
