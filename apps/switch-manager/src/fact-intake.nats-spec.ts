import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { systemClock, unwrap, type HostName } from '#kernel';
import { encodeBytes, STREAMS, SUBJECTS, type FactBatch } from '#contracts';
import { ensureStream, FACTS_STREAM } from '#event-store/jetstream';
import { startNatsServer, type NatsServer } from '#testing';
import { FactIntake } from './fact-intake.js';

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
beforeEach(async () => {
  const manager = await jetstreamManager(nc);
  await manager.streams.delete(STREAMS.facts).catch(() => false);
  unwrap(await ensureStream(nc, FACTS_STREAM));
});

const host = 'alpha' as HostName;
const say = (seq: number, from = host): Promise<unknown> => {
  const batch: FactBatch = {
    schema: 1,
    host: from,
    boot: 'b',
    facts: [{ seq, at: 1, fact: { type: 'Inventory', interfaces: [] } }],
  };
  return jetstream(nc).publish(SUBJECTS.fact(from), encodeBytes(batch));
};

type Answer = 'taken' | 'later';

/** A reader with the numbers it was given, in order, and a way to wait for one. */
function reader(
  answer: (seq: number, times: number) => Answer | Promise<Answer>,
  allows: (host: string) => boolean = () => true,
) {
  const given: number[] = [];
  const faults: unknown[] = [];
  let notify = (): void => undefined;
  const intake = new FactIntake({
    nc,
    clock: systemClock,
    ids: { next: () => randomUUID() },
    ingest: async (batch) => {
      const seq = batch.facts[0]?.seq ?? 0;
      given.push(seq);
      notify();
      return answer(seq, given.filter((n) => n === seq).length);
    },
    allows,
    onRefused: (_host, why) => faults.push(why),
    onFault: (cause) => faults.push(cause),
  });
  const until = (seq: number) =>
    new Promise<void>((resolve) => {
      const look = (): void => void (given.includes(seq) && resolve());
      notify = look;
      look();
    });
  return { intake, given, faults, until };
}

describe('taking facts in', () => {
  it('lets no batch overtake one that has to wait', async () => {
    for (const seq of [1, 2, 3]) await say(seq);
    const { intake, given, until } = reader((seq, times) => (seq === 1 && times < 3 ? 'later' : 'taken'));
    intake.start();
    await until(3);
    await intake.stop();
    expect(given).toEqual([1, 1, 1, 2, 3]);
  });

  it('goes on after a reader that died, with what that one had in hand first, and at once', async () => {
    for (const seq of [1, 2, 3]) await say(seq);
    const dead = reader((seq) => (seq === 1 ? 'taken' : new Promise<Answer>(() => undefined)));
    dead.intake.start();
    await dead.until(2);
    const next = reader(() => 'taken');
    next.intake.start();
    await say(4);
    await next.until(4);
    await next.intake.stop();
    expect(next.given.filter((n, i, all) => all.indexOf(n) === i)).toEqual(
      next.given.includes(1) ? [1, 2, 3, 4] : [2, 3, 4],
    );
  });

  it('goes on from there after readers that died before they had done anything', async () => {
    for (const seq of [1, 2]) await say(seq);
    const first = reader(() => 'taken');
    first.intake.start();
    await first.until(2);
    await first.intake.stop();
    const dead = [1, 2].map(() => reader(() => new Promise<Answer>(() => undefined)));
    await say(3);
    for (const { intake, until } of dead) {
      intake.start();
      await until(3);
    }
    const next = reader(() => 'taken');
    next.intake.start();
    await next.until(3);
    await next.intake.stop();
    expect([...dead, next].map(({ given }) => given[0])).toEqual([3, 3, 3]);
  });

  it('reads on when its consumer is taken away', async () => {
    const { intake, given, until } = reader(() => 'taken');
    intake.start();
    await say(1);
    await until(1);
    const manager = await jetstreamManager(nc);
    for await (const { name } of manager.consumers.list(STREAMS.facts))
      await manager.consumers.delete(STREAMS.facts, name);
    await say(2);
    await until(2);
    await intake.stop();
    expect(given[0]).toBe(1);
  });

  it('passes over what a host may not send any more, and reads the others', async () => {
    const other = 'bravo' as HostName;
    for (const seq of [1, 2, 3]) await say(seq);
    await say(4, other);
    const { intake, given, until } = reader(
      () => 'taken',
      (from) => from !== host,
    );
    intake.start();
    await until(4);
    await intake.stop();
    expect(given).toEqual([4]);
    const { num_pending, num_ack_pending } = await pending();
    expect([num_pending, num_ack_pending]).toEqual([0, 0]);
  });

  it('a host that floods its subject pushes out its own, and nothing of others', async () => {
    await say(1, 'bravo' as HostName);
    const most = FACTS_STREAM.max_msgs_per_subject ?? 0;
    const all = Array.from({ length: most + 10 }, (_, i) => i + 1);
    for (let i = 0; i < all.length; i += 500) await Promise.all(all.slice(i, i + 500).map((seq) => say(seq)));
    const manager = await jetstreamManager(nc);
    const { state } = await manager.streams.info(STREAMS.facts, { subjects_filter: '>' });
    expect(state.subjects).toEqual({ [SUBJECTS.fact('bravo')]: 1, [SUBJECTS.fact(host)]: most });
    const large = jetstream(nc).publish(SUBJECTS.fact(host), new Uint8Array(500_001));
    await expect(large).rejects.toThrow(/exceeds maximum/);
  });
});

/** Of the reader's consumer. */
async function pending(): Promise<{ num_pending: number; num_ack_pending: number }> {
  const manager = await jetstreamManager(nc);
  for await (const consumer of manager.consumers.list(STREAMS.facts)) return consumer;
  throw new Error('there is no consumer');
}
