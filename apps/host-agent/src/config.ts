import { CommonConfig, EnvField } from '#platform';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

/** Configuration of a host agent. */
export class HostAgentConfig extends CommonConfig {
  @EnvField({
    env: 'PORTOLAN_HOST',
    expected: 'the host’s name: lower-case letters, digits and inner hyphens',
  })
  @Matches(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { message: 'is not a host name' })
  host!: string;

  @EnvField({ env: 'PORTOLAN_STATE_DIR', expected: 'a directory of the agent’s own' })
  @IsString()
  stateDir!: string;

  @EnvField({ env: 'PORTOLAN_DRIVER', expected: 'openvswitch or simulated' })
  @IsIn(['openvswitch', 'simulated'])
  driver: string = 'openvswitch';

  @EnvField({ env: 'PORTOLAN_OVS_RUNDIR', expected: 'the directory with db.sock and the bridges’ sockets' })
  @IsString()
  ovsRundir: string = '/var/run/openvswitch';

  @EnvField({ env: 'PORTOLAN_OVS_DATAPATH', expected: 'system or netdev' })
  @IsIn(['system', 'netdev'])
  ovsDatapath: string = 'system';

  /** PEM file with the managers' public key; documents not signed with it are refused. */
  @EnvField({ env: 'PORTOLAN_DOCUMENT_KEY', expected: 'path of a PEM file with the managers’ public key' })
  @IsString()
  documentKey!: string;

  /** Simulated driver only: guests, fabric and migration addresses. */
  @EnvField({ env: 'PORTOLAN_SIMULATION', expected: 'path of a simulation file (YAML or JSON)' })
  @IsOptional()
  @IsString()
  simulation?: string;

  @EnvField({ env: 'PORTOLAN_TELEMETRY_MS', expected: '100 to 60000 ms' })
  @IsInt({ message: 'is not a whole number' })
  @Min(100)
  @Max(60_000)
  telemetryMs: number = 1_000;

  @EnvField({ env: 'PORTOLAN_CHECKPOINT_MS', expected: '1000 to 600000 ms' })
  @IsInt({ message: 'is not a whole number' })
  @Min(1_000)
  @Max(600_000)
  checkpointMs: number = 30_000;

  /** Real switch only: how often everything on it is read anew, since changes of groups and meters tell nobody. */
  @EnvField({ env: 'PORTOLAN_AUDIT_MS', expected: '200 to 600000 ms' })
  @IsInt({ message: 'is not a whole number' })
  @Min(200)
  @Max(600_000)
  auditMs: number = 5_000;
}
