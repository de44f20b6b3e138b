import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNatsServer, type NatsServer } from '#testing';
import { describeCommitLog, message } from '../contract.js';
import { JetStreamLog } from './jetstream-log.js';
import {
  CKPT_STREAM,
  DOCS_STREAM,
  ensureStream,
  FACTS_STREAM,
  LOG_STREAM,
  refuseReplicas,
} from './streams.js';

let server: NatsServer;
let nc: NatsConnection;
let count = 0;

beforeAll(async () => {
  server = await startNatsServer({ config: 'max_payload: 65536' });
  nc = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
});
afterAll(async () => {
  await nc?.close();
  await server?.stop();
});

async function newLog(options: { ackTimeoutMs?: number } = {}): Promise<[JetStreamLog, JetStreamLog]> {
  const names = { stream: `LOG${++count}`, prefix: `log${count}` };
  const spec = { ...LOG_STREAM, name: names.stream, subjects: [`${names.prefix}.>`] };
  expect(await ensureStream(nc, spec)).toEqual({ ok: true, value: { created: true } });
  return [await JetStreamLog.open(nc, { ...names, ...options }), await JetStreamLog.open(nc, names)];
}

describeCommitLog('JetStream', async () => {
  const [log, other] = await newLog();
  return {
    log,
    other,
    close: () => {
      log.close();
      other.close();
      return Promise.resolve();
    },
  };
});

describe('JetStream log', () => {
  it('answers unavailable when there is no such stream', async () => {
    const log = await JetStreamLog.open(nc, { stream: 'NONE', prefix: 'none' });
    expect(await log.append(message('a'), 0)).toEqual({ ok: false, error: 'unavailable' });
    await expect(log.last()).rejects.toThrow('the log does not answer');
    log.close();
  });

  it('answers unknown, then unavailable, when the server is gone; goes on when it is back', async () => {
    const [log, other] = await newLog();
    await log.append(message('a'), 0);
    const seen: number[] = [];
    let notify = (): void => undefined;
    const following = log.follow(
      1,
      (m) => {
        seen.push(m.seq);
        notify();
      },
      () => undefined,
    );
    const down = statusOf('disconnect');
    await server.kill9();
    await down;

    expect(await log.append(message('b'), 1)).toEqual({ ok: false, error: 'unavailable' });
    const up = statusOf('reconnect');
    await server.restart();
    await up;

    expect(await log.last()).toBe(1);
    const arrived = new Promise<void>((resolve) => (notify = () => seen.includes(2) && resolve()));
    expect(await log.append(message('b'), 1)).toMatchObject({ ok: true, value: { seq: 2 } });

    await arrived;

    expect(seen).toEqual([1, 2]);
    await following.stop();

    log.close();
    other.close();
  });
});

describe('a stream of an earlier version', () => {
  it('denies to let go for ever: it is taken as it is, and says so', async () => {
    const names = { stream: `LOG${++count}`, prefix: `log${count}` };
    const spec = { ...LOG_STREAM, name: names.stream, subjects: [`${names.prefix}.>`] };
    await ensureStream(nc, { ...spec, deny_purge: true });
    expect(await ensureStream(nc, spec)).toEqual({ ok: true, value: { created: false } });
    const log = await JetStreamLog.open(nc, names);
    for (const [i, id] of ['a', 'b', 'c'].entries()) await log.append(message(id), i);
    expect(await log.trim(2, 'somewhere')).toMatchObject({ ok: false, error: { code: 'refused' } });
    expect(await log.begins()).toEqual({ first: 1 });
    log.close();
  });
});

async function statusOf(type: 'disconnect' | 'reconnect'): Promise<void> {
  for await (const status of nc.status()) if (status.type === type) return;
}

describe('streams', () => {
  it('are made as stated, and found again', async () => {
    for (const spec of [DOCS_STREAM, FACTS_STREAM, CKPT_STREAM, LOG_STREAM]) {
      expect(await ensureStream(nc, spec)).toEqual({ ok: true, value: { created: true } });
      expect(await ensureStream(nc, spec)).toEqual({ ok: true, value: { created: false } });
    }
  });

  it('are brought up to date where the server can', async () => {
    const spec = { ...FACTS_STREAM, name: 'F2', subjects: ['f2.>'] };
    await ensureStream(nc, spec);
    expect(await ensureStream(nc, { ...spec, max_age: 60e9 * 60 })).toMatchObject({ ok: true });
    const info = await (await jetstreamManager(nc)).streams.info('F2');
    expect(info.config.max_age).toBe(60e9 * 60);
  });

  it('are refused where the server can not, naming the field', async () => {
    const spec = { ...CKPT_STREAM, name: 'C2', subjects: ['c2.>'] };
    await ensureStream(nc, spec);
    const refused = await ensureStream(nc, { ...spec, storage: StorageType.Memory });
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'refused', details: [{ field: 'C2.storage' }] },
    });
  });

  it('have no replicas on servers that lose messages then', () => {
    expect(refuseReplicas('2.9.10', 3)).toMatchObject({ code: 'refused', details: [{ field: 'replicas' }] });
    expect(refuseReplicas('2.9.10', 1)).toBeUndefined();
    expect(refuseReplicas('2.9.21', 3)).toBeUndefined();
    expect(refuseReplicas('2.12.0-beta.1', 3)).toBeUndefined();
    expect(refuseReplicas('2.8.99', 3)).toBeDefined();
  });

  it('are refused with replicas by the version that the server tells', async () => {
    const result = await ensureStream(nc, LOG_STREAM, 3);
    if (refuseReplicas(nc.info!.version, 3) !== undefined)
      expect(result).toMatchObject({ error: { code: 'refused' } });
  });
});
