import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger } from 'pino';
import { Registry } from 'prom-client';
import { type MicroserviceOptions } from '@nestjs/microservices';
import { JetStreamError } from '@nats-io/jetstream';
import { type Msg } from '@nats-io/transport-node';
import { systemClock, unwrap, type HostName } from '#kernel';
import { parseReport, SUBJECTS } from '#contracts';
import { Follower } from '#event-store';
import {
  CKPT_STREAM,
  DOCS_STREAM,
  Election,
  ensureStream,
  FACTS_STREAM,
  FileSnapshots,
  LOG_STREAM,
} from '#event-store/jetstream';
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
  runService,
  type Shutdown,
} from '#platform';
import { FollowedDocuments, JetStreamDocumentStore } from '#platform/jetstream';
import { ownFirst } from '#protocol';
import { PortolanNatsServer, RpcProblemFilter } from '#platform/transport';
import { documentSigner, documentVerifier, handoverTokens } from '#platform';
import { clusterRules, logCheck, openLog, patiently, storeCheck } from '#runtime';
import { lastCheckpoint } from './checkpoints.js';
import { CommandsController } from './commands.controller.js';
import { SwitchManagerConfig } from './config.js';
import { ConnectionsRelay } from './connections-relay.js';
import { FactIntake } from './fact-intake.js';
import { answerLeases } from './leases/answers.js';
import { Manager } from './manager.js';
import { measure } from './metrics.js';
import { Snapshotter } from './snapshotter.js';
import { UnreadReports } from './unread-reports.js';

await runService({ name: 'switch-manager', config: SwitchManagerConfig, serve });

async function serve(config: SwitchManagerConfig, logger: Logger, shutdown: Shutdown): Promise<void> {
  const link = NatsLink.open(natsOptionsOf(config, `switch-manager ${config.instance}`));
  shutdown.add('nats', () => link.close());
  const nc = await link.connection();
  const clock = systemClock;
  const ids = { next: () => randomUUID() as string };
  const waiting = (cause: unknown): void => logger.warn({ err: cause }, 'waiting for the message server');
  for (const stream of [LOG_STREAM, DOCS_STREAM, FACTS_STREAM, CKPT_STREAM]) {
    await patiently(async () => unwrap(await ensureStream(nc, stream, config.replicas)), clock, waiting);
  }
  const own = new FileSnapshots(join(config.stateDir, 'snapshots'));
  const { log, snapshots } = await openLog(nc, {
    inboxPrefix: link.inboxPrefix,
    archiveDir: config.archiveDir,
    own,
    notice: (text) => logger.warn(text),
  });
  const follower = new Follower({
    log,
    rules: clusterRules,
    clock,
    snapshots,
    // Nobody waits for it: a leader has its own state, and its answers go first.
    lagMs: 50,
    notice: (text) => logger.warn(text),
    onFault: (cause) => {
      logger.fatal({ err: cause }, 'the log can’t be followed');
      void shutdown.begin('the log can’t be followed', 1);
    },
  });
  await patiently(() => follower.start(), clock, waiting);
  shutdown.add('follower', () => follower.close());

  const server = new PortolanNatsServer({
    connection: () => link.connection(),
    active: false,
    concurrency: 4_096,
    maxBytes: 1_000_000,
  });
  let intake: FactIntake | null = null;
  let listens = false;
  const unread = new UnreadReports(clock);
  const distrust = new Distrust(clock, logger);
  const signer = await documentSigner(config.signingKey);
  const verifier = await documentVerifier([config.signingKey]);
  const followed = new FollowedDocuments({
    link,
    clock,
    verifier: ownFirst(signer, verifier),
    onFault: (cause) => logger.warn({ err: cause }, 'following the documents'),
  });
  shutdown.add('documents', () => Promise.resolve(followed.stop()));
  const manager = new Manager({
    log,
    store: new JetStreamDocumentStore(link),
    known: followed,
    follower,
    signer,
    verifier,
    handoverToken: await handoverTokens(config.signingKey),
    clock,
    ids,
    cluster: config.cluster,
    instance: config.instance,
    logger,
    distrust,
    checkpoint: lastCheckpoint(nc, (host, why) => logger.warn({ host, why }, 'a checkpoint is not used')),
    elected: () => election.leads,
    overlapMs: () => election.validMs,
    afterAnswers: (work) => void setImmediate(work),
    setActive: async (active) => {
      listens = active;
      if (active) for (const [host, data] of unread.take()) heard(host, data);
      await server.setActive(active);
      await intake?.stop();
      intake = active ? newIntake() : null;
      intake?.start();
    },
  });
  const heard = (host: HostName, data: Uint8Array): void => {
    const report = distrust.read('report', host, data, parseReport);
    if (report !== null) manager.report(host, report);
  };
  const callback = (error: Error | null, message: Msg): void => {
    if (error !== null) return logger.warn({ err: error }, 'reports');
    const host = message.subject.slice(SUBJECTS.report('').length) as HostName;
    if (listens) heard(host, message.data);
    else unread.put(host, message.data);
  };
  nc.subscribe(SUBJECTS.report('*'), { callback });
  new ConnectionsRelay(nc, () => manager.state, distrust).start();
  answerLeases({ nc, listens: () => listens, distrust, manager, log: logger });
  const newIntake = (): FactIntake =>
    new FactIntake({
      nc,
      clock,
      ids,
      ingest: async (batch, place) => {
        const taken = await manager.ingest(batch, place);
        if (taken.ok) return taken.value;
        return taken.error.retry ? 'later' : 'taken';
      },
      onRefused: (host, problem) => distrust.refusedFor(host, problem),
      allows: (host, bytes) => distrust.allows('facts', host, bytes),
      onFault: (cause) =>
        // Cut off by who leads now, or by the server; it begins anew.
        cause instanceof JetStreamError
          ? logger.warn({ reason: cause.message }, 'taking facts in')
          : logger.error({ err: cause }, 'taking facts in'),
    });
  const election = new Election({
    nc,
    clock,
    role: 'sequencer',
    holder: `${config.instance}-${randomUUID()}`,
    ttlMs: config.leaseMs,
    replicas: config.replicas,
    onElected: () => manager.elected(),
    onLost: (reason) => manager.lost(reason),
    onFault: damped(clock, (reason, times) => logger.warn({ reason, times }, 'the lease can’t be had')),
  });
  @Module({
    controllers: [CommandsController],
    providers: [{ provide: Manager, useValue: manager }],
    imports: [
      NatsModule.forLink(link),
      HealthModule.forRoot({
        service: 'switch-manager',
        address: config.healthAddress,
        port: config.healthPort,
      }),
    ],
  })
  class SwitchManagerModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(SwitchManagerModule, {
    strategy: server,
    logger: new NestLogger(logger),
  });
  // Without it a refusal would reach the asker as "internal": what is wrong, and where, would be lost.
  app.useGlobalFilters(new RpcProblemFilter());
  const metrics: Registry = app.get(Registry);
  distrust.measure(metrics);
  measure(metrics, manager);
  const health = app.get(HealthRegistry);
  health.register('nats', natsCheck(link));
  health.register('log', logCheck(follower));
  health.register('store', storeCheck(log));
  await app.listen();
  shutdown.add('nest', () => app.close());
  const snapshotter = new Snapshotter(follower, { ...snapshots, store: own }, config.snapshotEvery, (cause) =>
    logger.warn({ err: cause }, 'a snapshot could not be written'),
  );
  shutdown.add('snapshots', () => snapshotter.close());
  followed.keep(null);
  await patiently(async () => unwrap(await election.start()), clock, waiting);
  shutdown.add('leading', async () => {
    await manager.close();
    await election.close();
  });
  logger.info({ instance: config.instance, revision: follower.revision }, 'switch-manager runs');
}
