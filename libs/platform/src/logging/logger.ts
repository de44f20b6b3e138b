import { type LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { currentCorrelation } from '../correlation.js';
import { redactText, redactValue } from './redact.js';

export interface LoggerOptions {
  /** The service's name, on every line. */
  readonly name: string;
  /** pino's level names; default `info`. */
  readonly level?: string;
  /** Default: standard output, synchronous, so that nothing is lost at exit. */
  readonly destination?: DestinationStream;
}

/** One JSON object a line: time (ISO), level (name), service, msg, correlation while in one, and what was logged. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      name: options.name,
      level: options.level ?? 'info',
      base: { service: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (object) => redactValue(object) as Record<string, unknown>,
      },
      // pino's own serializers would run on the raw error; `log` above has shaped it already.
      serializers: { err: (value: unknown) => value },
      mixin: () => {
        const correlation = currentCorrelation();
        return correlation === undefined ? {} : { correlation };
      },
      hooks: {
        logMethod(args, method) {
          const shown = args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg));
          method.apply(this, shown as Parameters<typeof method>);
        },
      },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

/** Nest's log lines, through the same logger. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest puts the context last, and for errors a stack before it. */
  private write(
    level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = typeof rest.at(-1) === 'string' ? { context: rest.at(-1) } : {};
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    if (message instanceof Error) this.logger[level]({ ...context, err: message }, message.message);
    else if (typeof message === 'string') this.logger[level]({ ...context, ...stack }, message);
    else this.logger[level]({ ...context, ...stack, detail: message }, 'see detail');
  }
}
