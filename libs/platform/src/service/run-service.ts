import { type Logger } from 'pino';
import { ok, type Result } from '#kernel';
import { type CommonConfig } from '../config/common.js';
import { loadConfig, redactConfig } from '../config/load.js';
import { createLogger } from '../logging/logger.js';
import { endWithStdin } from '../shutdown/end-with-stdin.js';
import { Shutdown } from '../shutdown/shutdown.js';

export interface Service<T extends CommonConfig> {
  readonly name: string;
  readonly config: new () => T;
  /** What no field can say by itself. */
  readonly check?: (config: T) => Result<T>;
  /** Starts everything and returns; what is to be ended in order is added to `shutdown`. */
  readonly serve: (config: T, logger: Logger, shutdown: Shutdown) => Promise<void>;
}

/**
 * A service's whole `main`: configuration from the environment (a fault is one line and exit code 2), logger, orderly
 * end on signals, and exit code 1 with the cause in the log when it could not start.
 */
export async function runService<T extends CommonConfig>(service: Service<T>): Promise<void> {
  const { name, check = ok, serve } = service;
  const loaded = await loadConfig(service.config, { env: process.env });
  const config = loaded.ok ? check(loaded.value) : loaded;
  if (!config.ok) {
    process.stderr.write(`${name}: ${config.error.message}\n`);
    process.exitCode = 2;
    return;
  }
  const logger = createLogger({ name, level: config.value.logLevel });
  const shutdown = new Shutdown({ logger });
  shutdown.arm();
  endWithStdin(shutdown);
  logger.info({ config: redactConfig(config.value) }, 'starting');
  try {
    await serve(config.value, logger, shutdown);
  } catch (error) {
    logger.fatal({ err: error }, 'could not start');
    await shutdown.begin('could not start', 1);
  }
}
