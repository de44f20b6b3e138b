export { dial, formatEndpoint, parseEndpoint, type Endpoint } from './link/endpoint.js';
export {
  OvsdbClient,
  type OperationResult,
  type OvsdbHandlers,
  type OvsdbOperation,
  type OvsdbOptions,
} from './ovsdb/client.js';
export { type BridgeRow, type InterfaceRow, type PortRow, type SwitchRow } from './ovsdb/rows.js';
export { findUnixctl, Unixctl } from './unixctl/unixctl.js';
export { type OvsDriverConfig, type SwitchAddress } from './driver/config.js';
export { KICK_TABLE, MARK_PREFIX, PLUGGED_KEY, SWITCH_KEY } from './driver/names.js';
export { OvsDriver } from './driver/ovs-driver.js';
