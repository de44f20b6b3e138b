export {
  findNatsServer,
  freePort,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from './nats-server.js';
export {
  expectHistory,
  replayHistory,
  replayText,
  type Expected,
  type ExpectedGuest,
  type ExpectedHistory,
  type HandOver,
  type History,
  type HistoryLedger,
  type HistoryMigration,
  type ReplayOptions,
} from './histories/index.js';
