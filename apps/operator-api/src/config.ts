import { err, invalid, ok, type Result } from '#kernel';
import { EnvField, LogConfig, matching, whole } from '#platform';

export class OperatorApiConfig extends LogConfig {
  @EnvField({ env: 'PORTOLAN_API_ADDRESS', expected: 'an address of this machine' })
  apiAddress: string = '127.0.0.1';

  @EnvField({
    env: 'PORTOLAN_API_PORT',
    expected: 'a port number, 0 for any free one',
    accepts: whole(0, 65535),
  })
  apiPort: number = 7480;

  @EnvField({
    env: 'PORTOLAN_API_TOKEN',
    expected: 'a bearer token of 16 characters or more',
    secret: true,
    accepts: matching(/^.{16,256}$/s),
    optional: true,
  })
  apiToken?: string;

  @EnvField({
    env: 'PORTOLAN_HISTORY_STEP_MS',
    expected: 'milliseconds between two points of a port’s history, 100 to 3600000',
    accepts: whole(100, 3_600_000),
  })
  historyStepMs: number = 60_000;
}

/** Whoever reaches the port commands the cluster: without a token only this machine may. */
export function checkExposure(config: OperatorApiConfig): Result<OperatorApiConfig> {
  if (isLoopback(config.apiAddress) || config.apiToken !== undefined) return ok(config);
  return err(
    invalid(
      'PORTOLAN_API_ADDRESS',
      config.apiAddress,
      'is reachable from other machines and no token is set',
      'a loopback address as 127.0.0.1, or PORTOLAN_API_TOKEN as well',
    ),
  );
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);
}
