import { type Logger } from 'pino';

export interface ShutdownOptions {
  readonly logger: Logger;
  /** Time for all steps together, ms; then the process ends anyway, with code 1. Default 15 s. */
  readonly limitMs?: number;
  /** Replaced in tests. */
  readonly exit?: (code: number) => void;
}

interface Step {
  readonly name: string;
  readonly run: () => unknown;
}

/**
 * Ends a process in order: steps run one after the other, last added first, within a time limit. SIGINT and SIGTERM
 * end with 0, an error that nobody caught with 1; a second signal ends at once.
 */
export class Shutdown {
  private readonly steps: Step[] = [];
  private begun: Promise<void> | undefined;

  constructor(private readonly options: ShutdownOptions) {}

  /** `run` may be asynchronous; a fault in one step is logged and the next runs all the same. */
  add(name: string, run: () => unknown): void {
    this.steps.push({ name, run });
  }

  /** Listens for signals and uncaught errors. Returns the function that stops listening. */
  arm(): () => void {
    const onSignal = (signal: NodeJS.Signals) => this.signalled(signal);
    const onError = (error: unknown) => {
      this.options.logger.fatal({ err: error }, 'uncaught error');
      void this.begin('uncaught error', 1);
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    process.on('uncaughtException', onError).on('unhandledRejection', onError);
    return () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      process.off('uncaughtException', onError).off('unhandledRejection', onError);
    };
  }

  /** Runs the steps and ends the process. Called again, it returns the same end. */
  begin(reason: string, code: number): Promise<void> {
    this.begun ??= this.run(reason, code);
    return this.begun;
  }

  private signalled(signal: NodeJS.Signals): void {
    if (this.begun !== undefined) {
      this.options.logger.warn(`${signal} again: ending at once`);
      this.exit(1);
      return;
    }
    void this.begin(signal, 0);
  }

  private async run(reason: string, code: number): Promise<void> {
    const { logger, limitMs = 15_000 } = this.options;
    logger.info(`stopping: ${reason}`);
    let current = '';
    const limit = setTimeout(() => {
      logger.error(`not stopped within ${limitMs} ms, at ${current}: ending anyway`);
      this.exit(1);
    }, limitMs);
    let result = code;
    for (const step of [...this.steps].reverse()) {
      current = step.name;
      try {
        await step.run();
      } catch (error) {
        result = 1;
        logger.error({ err: error }, `stopping ${step.name}`);
      }
    }
    clearTimeout(limit);
    logger.info('stopped');
    this.exit(result);
  }

  private exit(code: number): void {
    (this.options.exit ?? ((c) => process.exit(c)))(code);
  }
}
