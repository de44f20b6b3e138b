export {
  findNatsServer,
  freePort,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from './nats-server.js';
