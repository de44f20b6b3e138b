import { Logger } from '@nestjs/common';
import { parseReport, parseTelemetry, SUBJECTS, type Decoder } from '#contracts';
import { type Distrust, type NatsLink } from '#platform';
import { type LiveStore } from './live-store.js';

interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * Feeds reports and telemetry into the live store. The subject's host is what the server vouches for, so a body that
 * names another host is refused. A message is never the end of the reader: an exception in a callback would be.
 */
export class NatsLive {
  private readonly logger = new Logger(NatsLive.name);

  constructor(
    private readonly link: NatsLink,
    private readonly live: LiveStore,
    private readonly distrust: Distrust,
  ) {}

  async start(): Promise<void> {
    const nc = await this.link.connection();
    const listen = <T extends { readonly host: string }>(
      what: 'report' | 'telemetry',
      decode: Decoder<T>,
      take: (v: T) => void,
    ) => {
      const callback = (error: Error | null, message: Message): void =>
        this.received(what, error, message, decode, take);
      nc.subscribe(SUBJECTS[what]('*'), { callback });
    };
    listen('report', parseReport, (report) => this.live.takeReport(report));
    listen('telemetry', parseTelemetry, (telemetry) => this.live.takeTelemetry(telemetry));
    await nc.flush();
  }

  received<T extends { readonly host: string }>(
    what: 'report' | 'telemetry',
    error: Error | null,
    message: Message,
    decode: Decoder<T>,
    take: (value: T) => void,
  ): void {
    if (error !== null) return this.logger.warn(`subscription: ${error.message}`);
    try {
      const value = this.distrust.read(what, hostOf(message), message.data, decode);
      if (value !== null) take(value);
    } catch (fault) {
      this.logger.warn(`${message.subject}: ${String(fault)}`);
    }
  }
}

/** The token that names the account. */
const hostOf = ({ subject }: Message): string => subject.slice(subject.indexOf('.') + 1);
