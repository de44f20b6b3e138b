import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '#kernel';
import { Peer, type Message } from '../fixtures/peer.fixture.js';
import { OvsdbClient } from './client.js';

const A = '00000000-0000-4000-8000-000000000001';
const INITIAL = { Bridge: { [A]: { initial: { name: 'br0' } } } };

describe('OvsdbClient', () => {
  let peer: Peer;
  let client: OvsdbClient;
  const told: string[] = [];
  let waiting: { event: string; resolve(): void }[] = [];

  /** What the client's user fails at, once. */
  let failsAt = '';

  const tell = (event: string) => {
    told.push(event);
    if (event === failsAt) {
      failsAt = '';
      throw new TypeError(`${event} was not expected`);
    }
    for (const { resolve } of waiting.filter((waiter) => waiter.event === event)) resolve();
    waiting = waiting.filter((waiter) => waiter.event !== event);
  };
  const next = (event: string) => new Promise<void>((resolve) => waiting.push({ event, resolve }));

  async function start(answer: (message: Message) => unknown, probeMs?: number): Promise<void> {
    peer = await Peer.listen(answer);
    client = new OvsdbClient(
      () => peer.endpoint,
      { up: () => tell('up'), down: () => tell('down'), changed: (columns) => tell([...columns].join()) },
      { clock: systemClock, ...(probeMs === undefined ? {} : { probeMs }) },
    );
    const up = next('up');
    client.start();
    await up;
  }

  const monitored = ({ method }: Message) => (method === 'monitor_cond' ? INITIAL : undefined);

  afterEach(async () => {
    client.close();
    await peer.close();
    told.length = 0;
  });

  it('fills its cache and follows', async () => {
    await start(monitored);
    expect(client.cache.get('Bridge', A)?.name).toBe('br0');
    const changed = next('Bridge.fail_mode');
    const updates = { Bridge: { [A]: { modify: { fail_mode: 'secure' } } } };
    peer.say(JSON.stringify({ method: 'update2', params: ['portolan', updates], id: null }));
    await changed;
    expect(client.cache.get('Bridge', A)?.failMode).toBe('secure');
  });

  it.each(['up', 'Bridge.fail_mode'])('reads all anew where its user fails at %s', async (at) => {
    failsAt = at;
    await start(({ method }) => {
      if (method !== 'monitor_cond') return undefined;
      return peer.connections === 1 && at !== 'up'
        ? INITIAL
        : { Bridge: { [A]: { initial: { name: 'br0', fail_mode: 'secure' } } } };
    });
    if (at !== 'up') {
      const again = next('up');
      const updates = { Bridge: { [A]: { modify: { fail_mode: 'standalone' } } } };
      peer.say(JSON.stringify({ method: 'update2', params: ['portolan', updates], id: null }));
      await again;
    }
    expect(told).toEqual(at === 'up' ? ['up', 'down', 'up'] : ['up', at, 'down', 'up']);
    expect(client.cache.get('Bridge', A)?.failMode).toBe('secure');
  });

  it('falls back to the older monitor', async () => {
    const whole = { Bridge: { [A]: { new: { name: 'br0' } } } };
    await start(({ method }) => (method === 'monitor' ? whole : { error: 'unknown method' }));
    expect(client.cache.get('Bridge', A)?.name).toBe('br0');
  });

  it('answers echo, and hangs up on a peer that does not', async () => {
    await start(monitored, 20);
    peer.say('{"method":"echo","params":["x"],"id":"e1"}');
    await next('down');
    expect(peer.heard).toContainEqual({ result: ['x'], error: null, id: 'e1' });
    expect(peer.heard).toContainEqual(expect.objectContaining({ method: 'echo' }));
  });

  it('turns refusals into problems', async () => {
    const reply = [{}, { error: 'constraint violation', details: 'name taken' }, null];
    await start((message) => monitored(message) ?? (message['method'] === 'transact' ? reply : undefined));
    await expect(
      client.transact('bridges', [{ op: 'insert' }, { op: 'insert' }, { op: 'x' }]),
    ).rejects.toMatchObject({
      problem: { code: 'invalid', message: 'bridges: constraint violation: name taken' },
    });
  });

  it('names an error of the commit, which stands behind the operations', async () => {
    const reply = [{}, { error: 'referential integrity violation', details: '' }];
    await start((message) => monitored(message) ?? (message['method'] === 'transact' ? reply : undefined));
    await expect(client.transact('x', [{ op: 'mutate' }])).rejects.toMatchObject({
      problem: { code: 'conflict' },
    });
  });

  it('does not know what became of a request when the line drops, and comes back', async () => {
    await start(monitored);
    const asked = client.transact('x', [{ op: 'insert' }]);
    await peer.message('transact');
    const up = next('up');
    peer.hangUp();
    await expect(asked).rejects.toMatchObject({ problem: { code: 'unknown', retry: true } });
    await expect(client.transact('x', [])).rejects.toMatchObject({
      problem: { code: 'unavailable', retry: true },
    });
    await up;
    expect(told).toEqual(['up', 'down', 'up']);
  });

  it.each(['\0\0\0\0', '{"id":', '{"method":"update2","params":{"a":[1,2}}', ']'])(
    'hangs up on garbage and comes back: %j',
    async (garbage) => {
      await start(monitored);
      const up = next('up');
      peer.say(`${garbage}}`);
      await up;
      expect(peer.connections).toBe(2);
    },
  );
});
