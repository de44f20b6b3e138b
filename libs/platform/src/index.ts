export { CommonConfig, natsOptionsOf } from './config/common.js';
export { EnvField, type EnvFieldOptions } from './config/env-field.js';
export { loadConfig, redactConfig, type ConfigSources } from './config/load.js';
export { currentCorrelation, withCorrelation } from './correlation.js';
export { NatsLink, type LinkListener, type LinkState } from './nats/link.js';
export { NatsModule } from './nats/module.js';
export { readCredentials, type NatsCredentials, type NatsOptions } from './nats/options.js';
export { isProblem, problemFromError } from './problems/from-error.js';
export { RpcProblemFilter } from './problems/rpc.filter.js';
export { PortolanNatsClient, type ConnectionSource, type RequestOptions } from './transport/client.js';
export { PortolanNatsContext } from './transport/context.js';
export { PortolanNatsServer, type PortolanNatsServerOptions } from './transport/server.js';
export { HealthModule, type HealthModuleOptions } from './health/module.js';
export {
  HealthRegistry,
  natsCheck,
  type Check,
  type CheckResult,
  type Readiness,
} from './health/registry.js';
export { HealthServer, type HealthServerOptions } from './health/server.js';
export { createLogger, NestLogger, type LoggerOptions } from './logging/logger.js';
export { redactText, redactValue } from './logging/redact.js';
export { correlationMiddleware } from './problems/correlation.middleware.js';
export { HttpProblemFilter } from './problems/http.filter.js';
export { problemJson, statusOf, type ProblemJson } from './problems/http.js';
export { problemOfValidation, problemValidationPipe } from './problems/validation.js';
export { runService, type Service } from './service/run-service.js';
export { endWithStdin } from './shutdown/end-with-stdin.js';
export { Shutdown, type ShutdownOptions } from './shutdown/shutdown.js';
export {
  credentialsPath,
  ensureCredentials,
  writePrivate,
  type CredentialsFile,
} from './accounts/credentials.js';
export { coreInbox, CORE_USERS, hostUser, HOST_INBOX, type CoreUser } from './accounts/names.js';
export { generateServerConfig, type ClusterConfig, type ServerConfig } from './accounts/server-config.js';
export { JetStreamDocumentStore, type JetStreamStoreOptions } from './documents/jetstream-store.js';
export { NatsDocumentSource } from './documents/nats-source.js';
export { ed25519Signer, ed25519Verifier, generateSigningKey, type SigningKey } from './signing.js';
