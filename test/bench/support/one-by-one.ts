import { Agent, request } from 'node:http';
import { type NatsConnection } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
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

/** PUTs JSON over one connection that is kept: `fetch` would add a millisecond of its own to what is measured. */
export function putter(base: string): { put(path: string, body: unknown): Promise<void>; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const put = (path: string, body: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
      const asked = request(`${base}${path}`, { agent, method: 'PUT', headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject).once('end', () => {
          const text = Buffer.concat(parts).toString();
          if (
            response.statusCode === 200 &&
            (JSON.parse(text) as { changed?: unknown }).changed !== undefined
          )
            resolve();
          else reject(new Error(`PUT ${path}: ${response.statusCode} ${text}`));
        });
      });
      asked.once('error', reject).end(bytes);
    });
  return { put, close: () => agent.destroy() };
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
