import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, connect as dial, type Socket } from 'node:net';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { systemClock, unwrap, type Clock } from '#kernel';
import { freePort, startNatsServer, type NatsServer } from '#testing';
import { Election } from './election.js';

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

/** One who stands for election, with its calls as a list and a way to wait for the next. */
function candidate(
  holder: string,
  role: string,
  { clock = systemClock, on = nc, ttlMs = 1000 }: { clock?: Clock; on?: NatsConnection; ttlMs?: number } = {},
) {
  const calls: string[] = [];
  const looks: (() => void)[] = [];
  const note = (text: string): void => {
    calls.push(text);
    for (const look of looks) look();
  };
  const election = new Election({
    nc: on,
    clock,
    role,
    holder,
    ttlMs,
    bucket: `LEASE-${ttlMs}`,
    onElected: () => note('elected'),
    onLost: (reason) => note(`lost: ${reason}`),
    onFault: (cause) => note(String(cause)),
  });
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      const look = (): void => void (calls.includes(text) && resolve());
      looks.push(look);
      look();
    });
  return { election, calls, until };
}

describe('election', () => {
  // Leases that would last longer than the test may: who leads next has not waited for their end.
  const ttlMs = 60_000;

  it('has one leader, and another at once when it closes', async () => {
    const a = candidate('a', 'hand-over', { ttlMs });
    const b = candidate('b', 'hand-over', { ttlMs });
    unwrap(await a.election.start());
    unwrap(await b.election.start());
    expect([a.election.leads, b.election.leads]).toEqual([true, false]);
    await a.election.close();
    await b.until('elected');
    expect([a.election.leads, b.election.leads]).toEqual([false, true]);
    expect(a.calls).toEqual(['elected', 'lost: closed']);
    await b.election.close();
  });

  it('keeps its leader for longer than one lease', async () => {
    const a = candidate('a', 'keep');
    const b = candidate('b', 'keep');
    unwrap(await a.election.start());
    unwrap(await b.election.start());
    await new Promise<void>((resolve) => systemClock.after(1500, resolve));
    expect(a.calls).toEqual(['elected']);
    expect(b.calls).toEqual([]);
    await a.election.close();
    await b.election.close();
  });

  it('replaces a leader that stands still, which gives up by its own clock', async () => {
    let frozen = false;
    const timers: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      after: (ms, fn) => systemClock.after(ms, () => (frozen ? timers.push(fn) : fn())),
    };
    const a = candidate('a', 'frozen', { clock });
    const b = candidate('b', 'frozen');
    unwrap(await a.election.start());
    unwrap(await b.election.start());
    frozen = true;
    await b.until('elected');
    expect(a.election.leads).toBe(false);
    frozen = false;
    for (const fn of timers.splice(0)) fn();
    // The news of who has it now may come before the timers that stood still.
    await Promise.race([a.until('lost: the lease ran out'), a.until('lost: another holds the lease')]);
    await a.election.close();
    await b.election.close();
  });

  it('replaces a leader whose connection is gone, long before its lease ends', async () => {
    const on = await connect({ servers: server.url });
    const a = candidate('a', 'gone', { on, ttlMs });
    const rest = ['b', 'c'].map((holder) => candidate(holder, 'gone', { ttlMs }));
    unwrap(await a.election.start());
    for (const { election } of rest) unwrap(await election.start());
    await heard('gone');
    await on.close();
    await Promise.race(rest.map((r) => r.until('elected')));
    expect(rest.filter((r) => r.election.leads)).toHaveLength(1);
    await a.election.close();
    for (const { election } of rest) await election.close();
  });

  it('a leader whose lease was taken while it was away says so at once, and does not take it back', async () => {
    const way = await wayTo(server.port);
    const on = await connect({ servers: way.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const a = candidate('a', 'away', { on, ttlMs });
    const b = candidate('b', 'away', { ttlMs });
    unwrap(await a.election.start());
    unwrap(await b.election.start());
    await heard('away');
    way.shut();
    await b.until('elected');
    expect(a.election.leads).toBe(true);
    way.open();
    await a.until('lost: another holds the lease');
    await new Promise<void>((resolve) => systemClock.after(400, resolve));
    expect([a.calls.length, a.election.leads, b.election.leads]).toEqual([2, false, true]);
    await a.election.close();
    await b.election.close();
    await on.close();
    await way.close();
  });

  it('a leader that was never heard of is waited for', async () => {
    const on = await connect({ servers: server.url });
    const kv = await new Kvm(nc).create(`LEASE-${ttlMs}`, { ttl: ttlMs, history: 1 });
    await kv.put('unheard', 'somebody');
    const a = candidate('a', 'unheard', { on, ttlMs });
    unwrap(await a.election.start());
    await new Promise<void>((resolve) => systemClock.after(600, resolve));
    expect(a.calls).toEqual([]);
    await a.election.close();
    await on.close();
  });
});

/** Resolves when the candidates had time to ask the holder once: they do so every 40 ms. */
async function heard(role: string): Promise<void> {
  let asked = 0;
  const spy = nc.subscribe(`cmd.lease.${role}`, { callback: () => void (asked += 1) });
  while (asked < 6) await new Promise<void>((resolve) => systemClock.after(20, resolve));
  spy.unsubscribe();
}

/** A way to a server that can be shut: connections break, and new ones do too, until it is open again. */
async function wayTo(port: number) {
  const sockets = new Set<Socket>();
  let shut = false;
  const server = createServer((near) => {
    if (shut) return void near.destroy();
    const far = dial(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      // What breaks on one side breaks on the other.
      one.on('error', () => undefined).on('close', () => void (sockets.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  const own = await freePort();
  await new Promise<void>((resolve) => server.listen(own, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${own}`,
    shut: () => {
      shut = true;
      for (const socket of sockets) socket.destroy();
    },
    open: () => void (shut = false),
    close: () => new Promise<unknown>((resolve) => server.close(resolve)),
  };
}
