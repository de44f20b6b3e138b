export { LIMITS, type Limits, type SwitchOptions } from './bridge/limits.js';
export { SimulatedDriver } from './driver.js';
export {
  SimulatedSwitch,
  type NewInterface,
  type SimulatedSwitchOptions,
  type TransmitListener,
} from './switch.js';
