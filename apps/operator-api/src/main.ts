import 'reflect-metadata';
import { type RequestListener } from 'node:http';
import { pathToFileURL } from 'node:url';
import { type Logger } from 'pino';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { systemClock } from '#kernel';
import { Follower } from '#event-store';
import {
  Distrust,
  HealthRegistry,
  natsCheck,
  natsOptionsOf,
  NatsLink,
  NestLogger,
  PortolanNatsClient,
  runService,
  type Shutdown,
} from '#platform';
import { clusterRules, logCheck, openLog, patiently, storeCheck } from '#runtime';
import { createApplication } from './application.js';
import { checkExposure, OperatorApiConfig } from './config.js';
import { EventFeed } from './events/event-feed.js';
import { NatsGateway } from './gateway/nats-gateway.js';
import { Door } from './http/door.js';
import { History } from './live/history.js';
import { LiveStore } from './live/live-store.js';
import { NatsLive } from './live/nats-live.js';
import { measure } from './metrics.js';

const NAME = 'operator-api';

async function serve(config: OperatorApiConfig, logger: Logger, shutdown: Shutdown): Promise<void> {
  const link = NatsLink.open(natsOptionsOf(config, NAME));
  shutdown.add('nats', () => link.close());
  link.onState((state, reason) => logger.info(`nats ${state}${reason === undefined ? '' : `: ${reason}`}`));
  let missing = (): string => {
    const { state, reason = '' } = link.state();
    return `the message server is ${state}${reason && `: ${reason}`}`;
  };
  const door = await Door.open(config.apiAddress, config.apiPort, () => missing());
  shutdown.add('door', () => door.close());
  const nc = await link.connection();
  missing = () => 'the log is being read';
  const waiting = (cause: unknown): void => {
    missing = () => `the log is not there yet: ${String(cause)}`;
    logger.warn({ err: cause }, 'the log is not there yet; trying again');
  };
  const notice = (text: string): void => logger.warn(text);
  const { inboxPrefix } = link;
  const { log, snapshots } = await openLog(nc, { inboxPrefix, archiveDir: config.archiveDir, notice });
  const follower = new Follower({
    log,
    snapshots,
    rules: clusterRules,
    clock: systemClock,
    notice,
    // A reader that stands still must not answer as if it read: a new process begins from the log.
    onFault: (cause) => {
      logger.fatal({ err: cause }, 'the log can not be followed');
      void shutdown.begin('the log can not be followed', 1);
    },
  });
  await patiently(() => follower.start(), systemClock, waiting);
  const feed = new EventFeed(follower, log, clusterRules);
  await patiently(() => feed.start(), systemClock, waiting);
  const live = new LiveStore(systemClock);
  const history = new History(live, systemClock, config.historyStepMs);
  live.onTelemetry((telemetry) => history.take(follower.state, telemetry));
  const distrust = new Distrust(systemClock, logger);
  await new NatsLive(link, live, distrust).start();
  const health = new HealthRegistry();
  health.register('nats', natsCheck(link));
  health.register('log', logCheck(follower));
  health.register('store', storeCheck(log));
  const metrics = new Registry();
  metrics.setDefaultLabels({ service: NAME });
  collectDefaultMetrics({ register: metrics });
  measure(metrics, follower, live);
  distrust.measure(metrics);
  const gateway = new NatsGateway(new PortolanNatsClient(link), systemClock);
  link.onState((state) => {
    if (state !== 'connected') gateway.interrupt('the connection to the message server was lost');
  });
  follower.onCommit(({ events }) => {
    // Only the log's own events are none of the domain: a leader's first is one of them.
    if (events.length === 0) gateway.interrupt('another switch-manager leads');
    for (const event of events) if (event.type === 'HostRemoved') live.forget(event.name);
  });
  const parts = {
    follower,
    log,
    rules: clusterRules,
    gateway,
    live,
    history,
    feed,
    clock: systemClock,
    health,
    metrics,
  };
  const app = await createApplication(parts, {
    address: config.apiAddress,
    token: config.apiToken,
    logger: new NestLogger(logger),
  });
  shutdown.add('http', async () => {
    await door.close();
    await app.close();
  });
  await app.init();
  door.leadTo(app.getHttpAdapter().getInstance() as RequestListener);
  logger.info({ address: config.apiAddress, port: config.apiPort, revision: follower.revision }, 'listening');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runService({ name: NAME, config: OperatorApiConfig, check: checkExposure, serve });
}
