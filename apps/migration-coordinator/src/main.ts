import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger } from 'pino';
import { Registry } from 'prom-client';
import { err, ok, systemClock, unwrap } from '#kernel';
import { checkCommandResponse, checkStatusResponse, parseReport, SUBJECTS } from '#contracts';
import { Follower } from '#event-store';
import { Election } from '#event-store/jetstream';
import {
  damped,
  Distrust,
  HealthModule,
  HealthRegistry,
  natsCheck,
  NatsLink,
  NatsModule,
  natsOptionsOf,
  NestLogger,
  PortolanNatsClient,
  runService,
  type Shutdown,
} from '#platform';
import { clusterRules, logCheck, openLog, patiently } from '#runtime';
import { MigrationCoordinatorConfig } from './config.js';
import { Coordinator } from './coordinator.js';

await runService({ name: 'migration-coordinator', config: MigrationCoordinatorConfig, serve });

async function serve(config: MigrationCoordinatorConfig, logger: Logger, shutdown: Shutdown): Promise<void> {
  const link = NatsLink.open(natsOptionsOf(config, `migration-coordinator ${config.instance}`));
  shutdown.add('nats', () => link.close());
  const nc = await link.connection();
  const { log, snapshots } = await openLog(nc, {
    inboxPrefix: link.inboxPrefix,
    archiveDir: config.archiveDir,
    notice: (text) => logger.warn(text),
  });
  const fault = (cause: unknown): void => logger.error({ err: cause }, 'reading the log');
  const follower = new Follower({ log, snapshots, rules: clusterRules, clock: systemClock, onFault: fault });
  await patiently(
    () => follower.start(),
    systemClock,
    (cause) => logger.warn({ err: cause }, 'waiting for the log'),
  );
  shutdown.add('follower', () => follower.close());
  const election = new Election({
    nc,
    clock: systemClock,
    role: 'coordinator',
    holder: randomUUID(),
    ttlMs: config.leaseMs,
    bucket: 'LEASE',
    onElected: () => logger.info('this copy proposes'),
    onLost: (reason) => logger.info({ reason }, 'another copy proposes'),
    onFault: damped(systemClock, (reason, times) => logger.warn({ reason, times }, 'the lease can’t be had')),
  });
  const client = new PortolanNatsClient(link);
  const coordinator = new Coordinator({
    follower,
    clock: systemClock,
    instance: config.instance,
    leads: () => election.leads,
    ask: async (subject, request) => {
      const answer = await client.request<unknown>(subject, request, { deadlineMs: 5_000 });
      return answer.ok ? checkCommandResponse(answer.value) : answer;
    },
    status: async () => {
      const asking = { v: 1, correlationId: randomUUID() };
      const said = await client.request<unknown>(SUBJECTS.command('status'), asking, { deadlineMs: 2_000 });
      const answer = said.ok ? checkStatusResponse(said.value) : said;
      if (!answer.ok) return answer;
      return answer.value.ok ? ok(answer.value.status) : err(answer.value.problem);
    },
    log: logger,
  });
  const distrust = new Distrust(systemClock, logger);
  nc.subscribe(SUBJECTS.report('*'), {
    callback: (error, message) => {
      if (error !== null) return logger.warn({ err: error }, 'reports');
      const host = message.subject.slice(SUBJECTS.report('').length);
      const report = distrust.read('report', host, message.data, parseReport);
      if (report !== null) coordinator.heard(report);
    },
  });
  await patiently(async () => unwrap(await election.start()), systemClock, fault);
  coordinator.start();
  shutdown.add('coordinator', async () => {
    coordinator.close();
    await election.close();
  });

  @Module({
    imports: [
      NatsModule.forLink(link),
      HealthModule.forRoot({
        service: 'migration-coordinator',
        address: config.healthAddress,
        port: config.healthPort,
      }),
    ],
  })
  class MigrationCoordinatorModule {}

  const app = await NestFactory.createApplicationContext(MigrationCoordinatorModule, {
    logger: new NestLogger(logger),
  });
  distrust.measure(app.get(Registry));
  const health = app.get(HealthRegistry);
  health.register('nats', natsCheck(link));
  health.register('log', logCheck(follower));
  shutdown.add('nest', () => app.close());
  logger.info({ instance: config.instance }, 'migration-coordinator runs');
}
