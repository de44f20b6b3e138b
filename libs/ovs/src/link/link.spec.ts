import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, unwrap, type Clock } from '#kernel';
import { ManualClock } from '../fixtures/manual-clock.fixture.js';
import { Peer } from '../fixtures/peer.fixture.js';
import { formatEndpoint, parseEndpoint } from './endpoint.js';
import { KeepAlive } from './keep-alive.js';
import { Link } from './link.js';

/** Notes the pauses between attempts, and makes them short. */
function noting(pauses: number[]): Clock {
  return {
    ...systemClock,
    after: (ms, fn) => {
      if (ms === 2_000) return systemClock.after(ms, fn);
      pauses.push(ms);
      return systemClock.after(0, fn);
    },
  };
}

describe('Link', () => {
  let link: Link;

  afterEach(() => link.close());

  it('pauses between failed attempts, jittered and never over the limit', async () => {
    const pauses: number[] = [];
    await new Promise<void>((resolve) => {
      const handlers = {
        open: () => undefined,
        data: () => undefined,
        down: () => (pauses.length === 20 ? resolve() : undefined),
      };
      link = new Link(() => ({ kind: 'unix', path: '/nonexistent/x' }), handlers, { clock: noting(pauses) });
      link.start();
    });
    expect(Math.max(...pauses)).toBeLessThanOrEqual(200);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(new Set(pauses).size).toBeGreaterThan(10);
  });

  it('comes back at once after a session that had settled, and not after one that had not', async () => {
    const peer = await Peer.listen(() => undefined);
    const pauses: number[] = [];
    let opened = 0;
    await new Promise<void>((resolve) => {
      const handlers = {
        open: () => {
          if (++opened === 3) return resolve();
          if (opened === 1) link.settle();
          link.drop('test');
        },
        data: () => undefined,
        down: () => undefined,
      };
      link = new Link(() => peer.endpoint, handlers, { clock: noting(pauses) });
      link.start();
    });
    expect(pauses[0]).toBe(0);
    expect(pauses[1]).toBeGreaterThanOrEqual(50);
    await peer.close();
  });

  it.each(['open', 'data'] as const)(
    'begins anew where its session fails at %s, and says why',
    async (at) => {
      const peer = await Peer.listen(() => 'said');
      const pauses: number[] = [];
      const reasons: string[] = [];
      await new Promise<void>((resolve) => {
        const fail = (): void => {
          link.settle();
          throw new TypeError(`no word for it, ${reasons.length + 1}`);
        };
        const handlers = {
          open: () => (at === 'open' ? fail() : link.write('{"method":"say","params":[],"id":1}')),
          data: fail,
          down: (reason: string) => (reasons.push(reason) === 2 ? resolve() : undefined),
        };
        link = new Link(() => peer.endpoint, handlers, { clock: noting(pauses) });
        link.start();
      });
      expect(reasons[0]).toMatch(/TypeError: no word for it, 1[^]*link\.spec/);
      expect(reasons[1]).toContain('no word for it, 2');
      expect(pauses[0]).toBeGreaterThanOrEqual(50);
      await peer.close();
    },
  );

  it('is there when the socket is made that it waits for, and not at its next attempt', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ptl-link-'));
    const path = join(dir, 's');
    const server = createServer();
    // Nothing but the socket's file ends its pause: this clock stands.
    const opened = new Promise<void>((resolve) => {
      const handlers = {
        open: resolve,
        data: () => undefined,
        down: () => void server.listen(path),
      };
      link = new Link(() => ({ kind: 'unix', path }), handlers, { clock: new ManualClock() });
      link.start();
    });
    await opened;
    link.close();
    server.close();
    await rm(dir, { recursive: true });
  });

  it('speaks TCP', async () => {
    const server = createServer((socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const echoed = await new Promise<string>((resolve) => {
      const handlers = {
        open: () => link.write('hello'),
        data: (chunk: Buffer) => resolve(chunk.toString()),
        down: () => undefined,
      };
      link = new Link(() => unwrap(parseEndpoint(`tcp:127.0.0.1:${port}`)), handlers, { clock: systemClock });
      link.start();
    });
    expect(echoed).toBe('hello');
    link.close();
    server.close();
  });

  it('goes on when the address itself can not be found', async () => {
    const pauses: number[] = [];
    await new Promise<void>((resolve) => {
      const handlers = {
        open: () => undefined,
        data: () => undefined,
        down: (why: string) => (why === 'no pid file' && pauses.length > 1 ? resolve() : undefined),
      };
      link = new Link(() => Promise.reject(new Error('no pid file')), handlers, { clock: noting(pauses) });
      link.start();
    });
  });
});

describe('KeepAlive', () => {
  it('probes after silence, gives up after twice that, and is content with any sign', () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const keepAlive = new KeepAlive(clock, 100, {
      probe: () => told.push('probe'),
      dead: () => told.push('dead'),
    });
    keepAlive.start();
    clock.advance(90);
    keepAlive.heard();
    clock.advance(90);
    expect(told).toEqual([]);
    clock.advance(10);
    expect(told).toEqual(['probe']);
    keepAlive.heard();
    clock.advance(99);
    expect(told).toEqual(['probe']);
    clock.advance(200);
    expect(told).toEqual(['probe', 'probe', 'dead']);
  });
});

describe('parseEndpoint', () => {
  it.each(['unix:/run/openvswitch/db.sock', 'tcp:127.0.0.1:6640', 'tcp:[::1]:6640'])('reads %s', (text) => {
    const parsed = parseEndpoint(text);
    expect(parsed.ok && formatEndpoint(parsed.value)).toBe(text);
  });

  it.each([
    7,
    '',
    'unix:',
    'tcp:1.2.3.4',
    'tcp:1.2.3.4:0',
    'tcp:1.2.3.4:70000',
    'ssl:a:1',
    `unix:/${'x'.repeat(107)}`,
  ])('refuses %j', (text) => {
    expect(parseEndpoint(text, 'ovsdb')).toMatchObject({
      ok: false,
      error: { details: [{ field: 'ovsdb' }] },
    });
  });
});
