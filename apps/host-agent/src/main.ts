import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger } from 'pino';
import {
  HealthModule,
  HealthRegistry,
  natsCheck,
  NatsLink,
  natsOptionsOf,
  NatsModule,
  NestLogger,
  runService,
  type Shutdown,
} from '#platform';
import { documentVerifier } from '#platform';
import { HostAgentConfig } from './config.js';
import { runAgent } from './run.js';

await runService({ name: 'host-agent', config: HostAgentConfig, serve });

async function serve(config: HostAgentConfig, logger: Logger, shutdown: Shutdown): Promise<void> {
  const link = NatsLink.open(natsOptionsOf(config, `host-agent ${config.host}`));
  const running = await runAgent(config, link, await documentVerifier([config.documentKey]), logger);

  @Module({
    imports: [
      NatsModule.forLink(link),
      HealthModule.forRoot({ service: 'host-agent', address: config.healthAddress, port: config.healthPort }),
    ],
  })
  class HostAgentModule {}

  const app = await NestFactory.createApplicationContext(HostAgentModule, { logger: new NestLogger(logger) });
  const health = app.get(HealthRegistry);
  health.register('nats', natsCheck(link));
  health.register('documents', () => ({
    ok: running.current(),
    reason: running.current() ? 'current' : 'not current',
  }));
  shutdown.add('nest', () => app.close());
  shutdown.add('agent', () => running.close());
  logger.info({ host: config.host, driver: config.driver }, 'host-agent runs');
}
