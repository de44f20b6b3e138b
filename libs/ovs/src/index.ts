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
