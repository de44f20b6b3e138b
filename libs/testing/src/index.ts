export {
  findNatsServer,
  freePort,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from './nats-server.js';
export {
  replayHistory,
  replayText,
  type History,
  type HistoryLedger,
  type HistoryMigration,
  type ReplayOptions,
} from './history.js';
