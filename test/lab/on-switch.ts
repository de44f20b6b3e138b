import { type LabHost } from './host.js';

/** What has an agent work on the real switch of a host of the lab. */
export const onSwitch = ({ rundir }: Pick<LabHost, 'rundir'>): NodeJS.ProcessEnv => ({
  PORTOLAN_DRIVER: 'openvswitch',
  PORTOLAN_OVS_RUNDIR: rundir,
  PORTOLAN_OVS_DATAPATH: 'netdev',
});
