import { EnvField, LogConfig, matching, whole } from '#platform';

/** Configuration of a migration-coordinator. */
export class MigrationCoordinatorConfig extends LogConfig {
  @EnvField({
    env: 'PORTOLAN_INSTANCE',
    expected: 'a name of this copy: letters, digits and inner hyphens',
    accepts: matching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/),
  })
  instance: string = `coordinator-${process.pid}`;

  @EnvField({ env: 'PORTOLAN_LEASE_MS', expected: '500 to 60000 ms', accepts: whole(500, 60_000) })
  leaseMs: number = 2_000;
}
