import { problem, ProblemError, type Result } from '#kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { NestFactory } from '@nestjs/core';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { currentCorrelation } from '../correlation.js';
import { NatsLink } from '../nats/link.js';
import { RpcProblemFilter } from './problem.filter.js';
import { SpecServer } from '../spec-server.fixture.js';
import { PortolanNatsClient } from './client.js';
import { PortolanNatsContext } from './context.js';
import { PortolanNatsServer } from './server.js';

/** Gates that a test opens, so that nothing sleeps. */
const gates = new Map<string, { entered: () => void; open: Promise<void> }>();
function gate(name: string): { entered: Promise<void>; open: () => void } {
  let entered!: () => void;
  let open!: () => void;
  const seen = new Promise<void>((resolve) => (entered = resolve));
  gates.set(name, { entered, open: new Promise<void>((resolve) => (open = resolve)) });
  return { entered: seen, open };
}

let onAbort: () => void = () => undefined;

@Controller()
class Commands {
  @MessagePattern('cmd.echo')
  echo(@Payload() body: unknown): unknown {
    return { body, correlation: currentCorrelation() };
  }
  @MessagePattern('cmd.problem')
  refuse(): never {
    throw new ProblemError(problem('conflict', 'stale version'));
  }
  @MessagePattern('cmd.defect')
  defect(): never {
    throw new TypeError('secret inner detail');
  }
  @MessagePattern('cmd.wait')
  async wait(@Payload() name: string, @Ctx() context: PortolanNatsContext): Promise<string> {
    context.signal.addEventListener('abort', () => onAbort());
    gates.get(name)?.entered();
    await gates.get(name)?.open;
    return name;
  }
  @MessagePattern('cmd.huge')
  huge(): string {
    return 'x'.repeat(100_000);
  }
}

@Module({ controllers: [Commands] })
class App {}

let server: SpecServer;
let link: NatsLink;
let nc: NatsConnection;
let strategy: PortolanNatsServer;
let app: INestMicroservice;
let client: PortolanNatsClient;

async function startApp(concurrency: number): Promise<void> {
  strategy = new PortolanNatsServer({
    connection: () => link.connection(),
    concurrency,
    maxBytes: 4_000,
    drainMs: 5_000,
  });
  app = await NestFactory.createMicroservice(App, { strategy, logger: false });
  app.useGlobalFilters(new RpcProblemFilter());
  await app.listen();
}

const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.error.code);

beforeAll(async () => {
  server = await SpecServer.start();
  link = NatsLink.open({ servers: [server.url], name: 'spec' });
  nc = await link.connection();
  client = new PortolanNatsClient(link);
  await startApp(3);
});
afterAll(async () => {
  await app.close();
  await link.close();
  await server.stop();
});

describe('commands over NATS', () => {
  it('carries payload, result and correlation', async () => {
    const result = await client.request('cmd.echo', { a: [1, 'ü'] }, { correlationId: 'corr-1' });
    expect(result).toEqual({ ok: true, value: { body: { a: [1, 'ü'] }, correlation: 'corr-1' } });
  });

  it('answers problems as they are, and defects without their inner text', async () => {
    expect(await client.request('cmd.problem', {})).toEqual({
      ok: false,
      error: problem('conflict', 'stale version'),
    });
    const defect = await client.request('cmd.defect', {});
    expect(codeOf(defect)).toBe('internal');
    expect(JSON.stringify(defect)).not.toContain('secret');
  });

  it('refuses malformed JSON, malformed budgets, oversized requests and oversized answers by reason', async () => {
    const raw = async (data: string, budget?: string) => {
      const h = headers();
      if (budget !== undefined) h.set('Portolan-Budget', budget);
      return (await nc.request('cmd.echo', data, { timeout: 10_000, headers: h })).string();
    };
    expect(await raw('{"a":')).toMatch(/"code":"invalid".*not JSON/);
    expect(await raw('{}', 'soon')).toMatch(/"code":"invalid".*Portolan-Budget/);
    expect(await raw('{}', '0')).toMatch(/"code":"unavailable".*no time/);
    expect(await raw(JSON.stringify('x'.repeat(5_000)))).toMatch(/"code":"invalid".*up to 4000/);
    expect(codeOf(await client.request('cmd.echo', 'x'.repeat(70_000)))).toBe('invalid');
    expect(await client.request('cmd.huge', {})).toMatchObject({ ok: false, error: { code: 'internal' } });
  });

  it('does not answer to a subject that is no inbox', async () => {
    const got: string[] = [];
    const sub = nc.subscribe('log.x', { callback: (_e, m) => void got.push(m.string()) });
    nc.publish('cmd.echo', '{}', { reply: 'log.x' });
    nc.publish('cmd.echo', '{}');
    // A full round trip later both would have been answered.
    expect(codeOf(await client.request('cmd.echo', {}))).toBe('ok');
    await nc.flush();
    expect(got).toEqual([]);
    sub.unsubscribe();
  });

  it('takes no more than its limit at a time', async () => {
    const held = ['one', 'two', 'three'].map((name) => ({ name, gate: gate(name) }));
    const running = held.map(({ name }) => client.request('cmd.wait', name));
    await Promise.all(held.map(({ gate: g }) => g.entered));
    const refused = await client.request('cmd.echo', {});
    expect(refused).toMatchObject({ ok: false, error: { code: 'unavailable', retry: true } });
    for (const { gate: g } of held) g.open();
    expect((await Promise.all(running)).map(codeOf)).toEqual(['ok', 'ok', 'ok']);
    expect(codeOf(await client.request('cmd.echo', {}))).toBe('ok');
  });

  it('says unknown at the deadline and aborts the handler', async () => {
    const g = gate('late');
    const aborted = new Promise<void>((resolve) => (onAbort = resolve));
    // On a busy machine all of the time may be over before the handler is reached: that is another refusal.
    for (let entered = false; !entered;) {
      const running = client.request('cmd.wait', 'late', { deadlineMs: 100 });
      entered = await Promise.race([g.entered.then(() => true), running.then(() => false)]);
      if (entered) expect(await running).toMatchObject({ ok: false, error: { code: 'unknown' } });
    }
    await aborted;
    g.open();
    expect(codeOf(await client.request('cmd.echo', {}))).toBe('ok');
  });

  it('is found only while active', async () => {
    await strategy.setActive(false);
    expect(await client.request('cmd.echo', {})).toMatchObject({
      ok: false,
      error: { code: 'unavailable', message: 'nobody serves cmd.echo at the moment' },
    });
    await strategy.setActive(true);
    expect(codeOf(await client.request('cmd.echo', {}))).toBe('ok');
  });

  it('finishes work in hand and sends its answers when closed', async () => {
    const g = gate('closing');
    const running = client.request('cmd.wait', 'closing');
    await g.entered;
    const closed = app.close();
    expect(strategy.isActive()).toBe(false);
    g.open();
    await closed;
    expect(await running).toEqual({ ok: true, value: 'closing' });
    expect(codeOf(await client.request('cmd.echo', {}))).toBe('unavailable');
    await startApp(3);
  });

  it('fails at once while the server is away, and serves again when it is back', async () => {
    const down = new Promise<void>((resolve) => {
      const stop = link.onState((state) => {
        if (state !== 'disconnected') return;
        stop();
        resolve();
      });
    });
    await server.kill();
    await down;
    expect(await client.request('cmd.echo', {})).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    const up = new Promise<void>((resolve) => {
      const stop = link.onState((state) => {
        if (state !== 'connected') return;
        stop();
        resolve();
      });
    });
    await server.boot();
    await up;
    expect(codeOf(await client.request('cmd.echo', 1))).toBe('ok');
  });
});
