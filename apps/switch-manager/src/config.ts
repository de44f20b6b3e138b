import { EnvField, LogConfig, matching, whole } from '#platform';

/** Configuration of a switch-manager. */
export class SwitchManagerConfig extends LogConfig {
  @EnvField({
    env: 'PORTOLAN_INSTANCE',
    expected: 'a name of this copy: letters, digits and inner hyphens',
    accepts: matching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/),
  })
  instance: string = `manager-${process.pid}`;

  @EnvField({
    env: 'PORTOLAN_CLUSTER',
    expected: 'lower-case letters, digits and inner hyphens',
    accepts: matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
  })
  cluster: string = 'default';

  /** Ed25519 private key, PEM; the same for every manager of the cluster. */
  @EnvField({ env: 'PORTOLAN_SIGNING_KEY', expected: 'path of a PEM file with an Ed25519 private key' })
  signingKey!: string;

  /** Snapshots lie here; they are disposable. */
  @EnvField({ env: 'PORTOLAN_STATE_DIR', expected: 'a directory of this copy’s own' })
  stateDir!: string;

  @EnvField({ env: 'PORTOLAN_REPLICAS', expected: '1, 3 or 5', accepts: whole(1, 5) })
  replicas: number = 1;

  /** How long a leader that fell silent is waited for. */
  @EnvField({ env: 'PORTOLAN_LEASE_MS', expected: '500 to 60000 ms', accepts: whole(500, 60_000) })
  leaseMs: number = 2_000;

  /** Commits between snapshots. */
  @EnvField({
    env: 'PORTOLAN_SNAPSHOT_EVERY',
    expected: '100 to 1000000 commits',
    accepts: whole(100, 1_000_000),
  })
  snapshotEvery: number = 5_000;
}
