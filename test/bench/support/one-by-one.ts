import { Agent, request } from 'node:http';
import { type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { type WriteResult } from '#contracts/http';
import { ensureStream, LOG_STREAM } from '#event-store/jetstream';

/** Runs `work` so many times, each after the other's end; ms of each. */
export async function timed(count: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await work(i);
    times.push(performance.now() - begun);
  }
  return times;
}

/** Sends JSON over one connection that is kept: `fetch` would add a millisecond of its own to what is measured. */
export class Sender {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly base: string) {}

  /** Resolves with the answer to a write; rejects unless it says what changed. */
  send(method: 'PUT' | 'POST', path: string, body: unknown): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
      const options = { agent: this.#agent, method, headers };
      const asked = request(`${this.base}${path}`, options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject).once('end', () => {
          const text = Buffer.concat(parts).toString();
          const result = response.statusCode === 200 ? (JSON.parse(text) as Partial<WriteResult>) : {};
          if (result.changed !== undefined) resolve(result as WriteResult);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      asked.once('error', reject).end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** About what one commit of one event takes in the log. */
const COMMIT_BYTES = 700;

/** Publishes one message to a stream like the log's and waits for its ack: the least that an acknowledged command can cost. */
export async function publisher(nc: NatsConnection): Promise<() => Promise<void>> {
  // Under a subject that the user of the switch-managers may publish to.
  const subject = '$KV.BENCH.commit';
  unwrap(await ensureStream(nc, { ...LOG_STREAM, name: 'BENCH', subjects: [subject] }));
  const bytes = Buffer.alloc(COMMIT_BYTES, 'x');
  return async () => {
    const ack = (await nc.request(subject, bytes, { timeout: 5000 })).json<{ readonly seq?: number }>();
    if (typeof ack.seq !== 'number') throw new Error(`not stored: ${JSON.stringify(ack)}`);
  };
}
