export { text, each, matching, oneOf, whole, type Accepts } from './config/accepts.js';
export { CommonConfig, natsOptionsOf } from './config/common.js';
export { LogConfig } from './config/log.js';
export { EnvField, type EnvFieldOptions } from './config/env-field.js';
export { loadConfig, redactConfig, type ConfigSources } from './config/load.js';
export { currentCorrelation, withCorrelation } from './correlation.js';
export { Distrust, type Refused } from './distrust/distrust.js';
export { NatsDocumentSource } from './nats/document-source.js';
export { NatsLink, type LinkListener, type LinkState } from './nats/link.js';
export { NatsModule } from './nats/module.js';
export { readCredentials, type NatsCredentials, type NatsOptions } from './nats/options.js';
export { isProblem } from './problems/is-problem.js';
export { PortolanNatsClient, type ConnectionSource, type RequestOptions } from './transport/client.js';
export { HealthModule, type HealthModuleOptions } from './health/module.js';
export {
  HealthRegistry,
  natsCheck,
  type Check,
  type CheckResult,
  type Readiness,
} from './health/registry.js';
export { HealthServer, type HealthServerOptions } from './health/server.js';
export { damped } from './logging/damped.js';
export { createLogger, NestLogger, type LoggerOptions } from './logging/logger.js';
export { redactText, redactValue } from './logging/redact.js';
export { runService, type Service } from './service/run-service.js';
export { endWithStdin } from './shutdown/end-with-stdin.js';
export { Shutdown, type ShutdownOptions } from './shutdown/shutdown.js';
export { derivedHandoverToken } from './handover.js';
export { documentSigner, documentVerifier, handoverTokens } from './key-files.js';
export { ed25519Signer, ed25519Verifier, generateSigningKey, type SigningKey } from './signing.js';
