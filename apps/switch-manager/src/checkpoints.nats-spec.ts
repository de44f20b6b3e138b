import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { unwrap, type HostName } from '#kernel';
import { encodeBytes, SUBJECTS, type Checkpoint } from '#contracts';
import { CKPT_STREAM, ensureStream } from '#event-store/jetstream';
import { startNatsServer, type NatsServer } from '#testing';
import { asCounters, lastCheckpoint } from './checkpoints.js';

let server: NatsServer;
let nc: NatsConnection;
beforeAll(async () => {
  server = await startNatsServer();
  nc = await connect({ servers: server.url });
});
afterAll(async () => {
  await nc?.close();
  await server?.stop();
});

const host = 'alpha' as HostName;
const none = { packets: 0, bytes: 0 };
const direction = { unicast: none, multicast: none, broadcast: none };
const checkpoint = (time: number): Checkpoint =>
  ({
    schema: 1,
    host,
    boot: 'b',
    time,
    counters: [{ port: 'p1', epoch: 1, incarnation: 'i', raw: { in: direction, out: direction } }],
  }) as unknown as Checkpoint;

describe('the last checkpoint of a host', () => {
  it('is the last that the stream holds; one that can’t be read counts as none; without the stream nobody knows', async () => {
    const said: string[] = [];
    const last = lastCheckpoint(nc, (_host, why) => said.push(why));
    expect(await last(host)).toMatchObject({ ok: false, error: { retry: true } });
    unwrap(await ensureStream(nc, CKPT_STREAM));
    expect(await last(host)).toEqual({ ok: true, value: null });
    for (const time of [5, 7])
      await jetstream(nc).publish(SUBJECTS.checkpoint(host), encodeBytes(checkpoint(time)));
    const found = unwrap(await last(host));
    expect(asCounters(found)).toMatchObject([{ port: 'p1', epoch: 1, incarnation: 'i', at: 7 }]);
    await jetstream(nc).publish(SUBJECTS.checkpoint(host), new Uint8Array([1]));
    expect(await last(host)).toEqual({ ok: true, value: null });
    expect(said).toHaveLength(1);
  });
});
