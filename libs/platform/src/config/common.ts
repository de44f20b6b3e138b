import { each, matching, oneOf, whole } from './accepts.js';
import { type NatsOptions } from '../nats/options.js';
import { EnvField } from './env-field.js';

/** What every service is configured with; each app extends it with its own fields. */
export class CommonConfig {
  @EnvField({
    env: 'PORTOLAN_NATS_URL',
    expected: 'nats://host:port, several with commas',
    accepts: each(matching(/^(nats|tls):\/\/[^\s,]+:\d{1,5}$/)),
  })
  natsUrl: string[] = ['nats://127.0.0.1:4222'];

  @EnvField({ env: 'PORTOLAN_NATS_CREDENTIALS', expected: 'path of a credentials file', optional: true })
  natsCredentials?: string;

  @EnvField({ env: 'PORTOLAN_NATS_USER', expected: 'a user name', optional: true })
  natsUser?: string;

  @EnvField({
    env: 'PORTOLAN_NATS_PASSWORD',
    expected: 'the password of that user',
    secret: true,
    optional: true,
  })
  natsPassword?: string;

  @EnvField({ env: 'PORTOLAN_NATS_NKEY', expected: 'path of a file with an nkey user seed', optional: true })
  natsNkey?: string;

  @EnvField({ env: 'PORTOLAN_NATS_CA', expected: 'path of a PEM file', optional: true })
  natsCa?: string;

  @EnvField({ env: 'PORTOLAN_NATS_CERT', expected: 'path of a PEM file', optional: true })
  natsCert?: string;

  @EnvField({ env: 'PORTOLAN_NATS_KEY', expected: 'path of a PEM file', optional: true })
  natsKey?: string;

  /** Port of /health and /metrics; 0 takes any free one. */
  @EnvField({
    env: 'PORTOLAN_HEALTH_PORT',
    expected: 'a port number, 0 for any free one',
    accepts: whole(0, 65535),
  })
  healthPort: number = 0;

  @EnvField({ env: 'PORTOLAN_HEALTH_ADDRESS', expected: 'an address of this machine' })
  healthAddress: string = '127.0.0.1';

  @EnvField({
    env: 'PORTOLAN_LOG_LEVEL',
    expected: 'trace, debug, info, warn, error, fatal or silent',
    accepts: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  })
  logLevel: string = 'info';
}

/** The link's options from the configuration. */
export function natsOptionsOf(config: CommonConfig, name: string): NatsOptions {
  const tls = {
    ...(config.natsCa === undefined ? {} : { caFile: config.natsCa }),
    ...(config.natsCert === undefined ? {} : { certFile: config.natsCert }),
    ...(config.natsKey === undefined ? {} : { keyFile: config.natsKey }),
  };
  return {
    servers: config.natsUrl,
    name,
    ...(config.natsCredentials === undefined ? {} : { credentialsFile: config.natsCredentials }),
    ...(config.natsUser === undefined ? {} : { user: config.natsUser }),
    ...(config.natsPassword === undefined ? {} : { password: config.natsPassword }),
    ...(config.natsNkey === undefined ? {} : { nkeyFile: config.natsNkey }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}
