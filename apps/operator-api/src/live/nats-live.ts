import { Logger } from '@nestjs/common';
import { parseReport, parseTelemetry, SUBJECTS, type Decoder } from '#contracts';
import { type NatsLink } from '#platform';
import { type LiveStore } from './live-store.js';

interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}

const WARN_EVERY_MS = 10_000;

/**
 * Feeds reports and telemetry into the live store. The subject's host is what the server vouches for, so a body that
 * names another host is refused. A message is never the end of the reader: an exception in a callback would be.
 */
export class NatsLive {
  private readonly logger = new Logger(NatsLive.name);
  private warnedAt = 0;
  private refused = 0;

  constructor(
    private readonly link: NatsLink,
    private readonly live: LiveStore,
  ) {}

  async start(): Promise<void> {
    const nc = await this.link.connection();
    const listen = <T extends { readonly host: string }>(
      subject: string,
      decode: Decoder<T>,
      take: (v: T) => void,
    ) => {
      nc.subscribe(subject, { callback: (error, message) => this.received(error, message, decode, take) });
    };
    listen(SUBJECTS.report('*'), parseReport, (report) => this.live.takeReport(report));
    listen(SUBJECTS.telemetry('*'), parseTelemetry, (telemetry) => this.live.takeTelemetry(telemetry));
    await nc.flush();
  }

  received<T extends { readonly host: string }>(
    error: Error | null,
    message: Message,
    decode: Decoder<T>,
    take: (value: T) => void,
  ): void {
    try {
      if (error !== null) return this.warn(`subscription: ${error.message}`);
      const value = decode(message.data);
      if (!value.ok) return this.warn(`${message.subject}: ${value.error.message}`);
      if (message.subject.split('.')[1] !== value.value.host) {
        return this.warn(`${message.subject}: speaks for ${value.value.host}`);
      }
      take(value.value);
    } catch (fault) {
      this.warn(`${message.subject}: ${String(fault)}`);
    }
  }

  /** A host that sends rubbish every second must not fill the log. */
  private warn(text: string): void {
    this.refused += 1;
    const now = Date.now();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.logger.warn(`refused ${this.refused} message(s); the last: ${text}`);
    this.warnedAt = now;
    this.refused = 0;
  }
}
