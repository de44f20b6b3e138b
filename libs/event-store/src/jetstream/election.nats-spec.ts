import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { systemClock, unwrap, type Clock } from '#kernel';
import { startNatsServer, type NatsServer } from '#testing';
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
function candidate(holder: string, role: string, clock: Clock = systemClock) {
  const calls: string[] = [];
  let notify = (): void => undefined;
  const note = (text: string): void => {
    calls.push(text);
    notify();
  };
  const election = new Election({
    nc,
    clock,
    role,
    holder,
    ttlMs: 1000,
    onElected: () => note('elected'),
    onLost: (reason) => note(`lost: ${reason}`),
    onFault: (cause) => note(String(cause)),
  });
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      if (calls.includes(text)) resolve();
      else notify = () => calls.includes(text) && resolve();
    });
  return { election, calls, until };
}

describe('election', () => {
  it('has one leader, and another at once when it closes', async () => {
    const a = candidate('a', 'hand-over');
    const b = candidate('b', 'hand-over');
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
    const a = candidate('a', 'frozen', clock);
    const b = candidate('b', 'frozen');
    unwrap(await a.election.start());
    unwrap(await b.election.start());
    frozen = true;
    await b.until('elected');
    expect(a.election.leads).toBe(false);
    frozen = false;
    for (const fn of timers.splice(0)) fn();
    await a.until('lost: the lease ran out');
    await a.election.close();
    await b.election.close();
  });
});
