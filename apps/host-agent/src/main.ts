import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  createLogger,
  endWithStdin,
  HealthModule,
  HealthRegistry,
  loadConfig,
  natsCheck,
  NatsLink,
  natsOptionsOf,
  NatsModule,
  NestLogger,
  redactConfig,
  Shutdown,
} from '#platform';
import { documentVerifier } from '#runtime';
import { HostAgentConfig } from './config.js';
import { runAgent } from './run.js';

const loaded = loadConfig(HostAgentConfig, { env: process.env });
if (!loaded.ok) {
  process.stderr.write(`host-agent: ${loaded.error.message}\n`);
  process.exit(2);
}
const config = loaded.value;
const logger = createLogger({ name: 'host-agent', level: config.logLevel });
const shutdown = new Shutdown({ logger });
shutdown.arm();
endWithStdin(shutdown);
logger.info({ config: redactConfig(config) }, 'starting');

try {
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
} catch (error) {
  logger.fatal({ err: error }, 'the host agent could not start');
  await shutdown.begin('could not start', 1);
}
