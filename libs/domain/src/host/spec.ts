import { type HostResource } from '../model/resources.js';

type Spec = HostResource['spec'];

/** What an operator says of a host, of whatever has it among other fields. */
export const specOfHost = ({
  labels,
  managementPath,
  preload,
  maintenance,
  migrationLimit,
  foreignFlows,
}: Spec): Spec => ({ labels, managementPath, preload, maintenance, migrationLimit, foreignFlows });
