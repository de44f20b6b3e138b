import { CommonConfig, EnvField } from '#platform';
import { IsInt, Matches, Max, Min } from 'class-validator';

/** Configuration of a migration-coordinator. */
export class MigrationCoordinatorConfig extends CommonConfig {
  @EnvField({ env: 'PORTOLAN_INSTANCE', expected: 'a name of this copy: letters, digits and inner hyphens' })
  @Matches(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, { message: 'is not a name' })
  instance: string = `coordinator-${process.pid}`;

  @EnvField({ env: 'PORTOLAN_LEASE_MS', expected: '500 to 60000 ms' })
  @IsInt({ message: 'is not a whole number' })
  @Min(500)
  @Max(60_000)
  leaseMs: number = 2_000;
}
