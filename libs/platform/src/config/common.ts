import { IsArray, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { type NatsOptions } from '../nats/options.js';
import { EnvField } from './env-field.js';

/** What every service is configured with; each app extends it with its own fields. */
export class CommonConfig {
  @EnvField({ env: 'PORTOLAN_NATS_URL', expected: 'nats://host:port, several with commas' })
  @IsArray()
  @Matches(/^(nats|tls):\/\/[^\s,]+:\d{1,5}$/, { each: true, message: 'is not a list of NATS addresses' })
  natsUrl: string[] = ['nats://127.0.0.1:4222'];

  @EnvField({ env: 'PORTOLAN_NATS_CREDENTIALS', expected: 'path of a credentials file' })
  @IsOptional()
  @IsString()
  natsCredentials?: string;

  @EnvField({ env: 'PORTOLAN_NATS_USER', expected: 'a user name' })
  @IsOptional()
  @IsString()
  natsUser?: string;

  @EnvField({ env: 'PORTOLAN_NATS_PASSWORD', expected: 'the password of that user', secret: true })
  @IsOptional()
  @IsString()
  natsPassword?: string;

  @EnvField({ env: 'PORTOLAN_NATS_NKEY', expected: 'path of a file with an nkey user seed' })
  @IsOptional()
  @IsString()
  natsNkey?: string;

  @EnvField({ env: 'PORTOLAN_NATS_CA', expected: 'path of a PEM file' })
  @IsOptional()
  @IsString()
  natsCa?: string;

  @EnvField({ env: 'PORTOLAN_NATS_CERT', expected: 'path of a PEM file' })
  @IsOptional()
  @IsString()
  natsCert?: string;

  @EnvField({ env: 'PORTOLAN_NATS_KEY', expected: 'path of a PEM file' })
  @IsOptional()
  @IsString()
  natsKey?: string;

  /** Port of /health and /metrics; 0 takes any free one. */
  @EnvField({ env: 'PORTOLAN_HEALTH_PORT', expected: 'a port number, 0 for any free one' })
  @IsInt({ message: 'is not a whole number' })
  @Min(0)
  @Max(65535)
  healthPort: number = 0;

  @EnvField({ env: 'PORTOLAN_HEALTH_ADDRESS', expected: 'an address of this machine' })
  @IsString()
  healthAddress: string = '127.0.0.1';

  @EnvField({ env: 'PORTOLAN_LOG_LEVEL', expected: 'trace, debug, info, warn, error, fatal or silent' })
  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
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
