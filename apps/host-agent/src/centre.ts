import { unwrap, type HostName } from '#kernel';
import { LEASE } from '#domain/on-host';
import {
  encodeBytes,
  parseLeaseAnswer,
  SUBJECTS,
  type Checkpoint,
  type FactBatch,
  type LeaseAnswer,
  type LeaseQuestion,
  type Report,
  type Telemetry,
} from '#contracts';
import { type NatsLink } from '#platform';

const ACK_MS = 3_000;

/** What the agent says to the centre. Nothing here waits for a connection: what can't be said now is said again. */
export class Centre {
  constructor(
    private readonly link: NatsLink,
    private readonly host: HostName,
    private readonly warn: (message: string) => void,
  ) {}

  /** True when the stream has the batch. */
  facts = (batch: FactBatch): Promise<boolean> => this.#stored(SUBJECTS.fact(this.host), encodeBytes(batch));
  checkpoint = (checkpoint: Checkpoint): Promise<boolean> =>
    this.#stored(SUBJECTS.checkpoint(this.host), encodeBytes(checkpoint));

  /** Whether the leader grants it, while it is waited for. */
  lease = async (question: LeaseQuestion): Promise<LeaseAnswer | null> => {
    const nc = this.link.current();
    if (nc === undefined) return null;
    try {
      const reply = await nc.request(SUBJECTS.lease(this.host), encodeBytes(question), {
        timeout: LEASE.everyMs,
      });
      return unwrap(parseLeaseAnswer(reply.data));
    } catch (cause) {
      this.warn(`${SUBJECTS.lease(this.host)}: ${String(cause)}`);
      return null;
    }
  };

  report = (report: Report): void => this.#say(SUBJECTS.report(this.host), encodeBytes(report));
  telemetry = (telemetry: Telemetry): void =>
    this.#say(SUBJECTS.telemetry(this.host), encodeBytes(telemetry));

  #say(subject: string, data: Uint8Array): void {
    const nc = this.link.current();
    if (nc === undefined) return;
    try {
      nc.publish(subject, data);
    } catch (cause) {
      this.warn(`${subject}: ${String(cause)}`);
    }
  }

  async #stored(subject: string, data: Uint8Array): Promise<boolean> {
    const nc = this.link.current();
    if (nc === undefined) return false;
    try {
      const reply = await nc.request(subject, data, { timeout: ACK_MS });
      const ack = reply.json<{ readonly seq?: number; readonly error?: { readonly description?: string } }>();
      if (typeof ack.seq === 'number') return true;
      this.warn(`${subject}: ${ack.error?.description ?? 'no acknowledgement'}`);
    } catch (cause) {
      if (this.link.current() !== undefined) this.warn(`${subject}: ${String(cause)}`);
    }
    return false;
  }
}
