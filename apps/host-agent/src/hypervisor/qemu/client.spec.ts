import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#kernel';
import { QmpClient, type QmpEvent, type QmpOptions } from './client.js';
import { FakeQemu } from './fake-qemu.fixture.js';

describe('a monitor’s client', () => {
  let dir: string;
  let qemu: FakeQemu;
  let events: QmpEvent[];
  let closed: string[];
  let onClosed: () => void;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ptl-qmp-'));
    qemu = await new FakeQemu(join(dir, 'web.qmp')).listen();
    events = [];
    closed = [];
    onClosed = () => undefined;
  });

  afterEach(async () => {
    await qemu.die();
    await rm(dir, { recursive: true, force: true });
  });

  const connect = (more: Partial<QmpOptions> = {}, path = qemu.path) =>
    QmpClient.connect(path, {
      onEvent: (event) => events.push(event),
      onClose: (reason) => {
        closed.push(reason);
        onClosed();
      },
      ...more,
    });
  const over = () => new Promise<void>((resolve) => (onClosed = resolve));

  it('greets, asks, and hears what is told meanwhile', async () => {
    const client = unwrap(await connect());
    expect(client.version).toBe('7.2.1');
    qemu.event('STOP');
    expect(await client.execute('query-status')).toEqual({
      ok: true,
      value: { status: 'running', running: true },
    });
    expect(events).toEqual([{ name: 'STOP', data: {} }]);
    client.close();
    expect(closed).toEqual([]);
    expect(await client.execute('stop')).toMatchObject({ ok: false, error: { code: 'unavailable' } });
  });

  it('gives QEMU’s own words for what it refuses', async () => {
    qemu.onMigrate = () => ({ error: { class: 'GenericError', desc: 'no such device' } });
    const client = unwrap(await connect());
    expect(await client.execute('migrate')).toMatchObject({
      error: { code: 'refused', message: 'migrate: no such device (GenericError)' },
    });
    client.close();
  });

  it('says that nobody is there, or nobody who speaks so', async () => {
    expect(await connect({}, join(dir, 'none.qmp'))).toMatchObject({ error: { code: 'unavailable' } });
    const path = join(dir, 'other.qmp');
    for (const greeting of ['220 mail.example ESMTP\n', '{"return": {}, "id": 1}\n']) {
      const other = await new FakeQemu(path, greeting).listen();
      expect(await connect({}, path)).toMatchObject({
        error: { message: expect.stringContaining('monitor') },
      });
      await other.die();
    }
    const mute = await new FakeQemu(path, '').listen();
    expect(await connect({ patienceMs: 20 }, path)).toMatchObject({
      error: { message: expect.stringContaining('does somebody else hold it') },
    });
    await mute.die();
    expect(closed).toEqual([]);
  });

  it('does not know what became of a command that the connection broke at, or that is not answered', async () => {
    // Long enough for a greeting on a busy machine.
    const slow = unwrap(await connect({ patienceMs: 500 }));
    qemu.isMute = true;
    expect(await slow.execute('migrate')).toMatchObject({ error: { code: 'unknown' } });
    // What it says after that would be taken for the answer to something else.
    expect(await slow.execute('query-status')).toMatchObject({ error: { code: 'unavailable' } });
    qemu.isMute = false;
    const client = unwrap(await connect());
    qemu.isMute = true;
    const asked = client.execute('migrate');
    await qemu.die();
    expect(await asked).toMatchObject({ error: { code: 'unknown' } });
    expect(closed).toHaveLength(2);
  });

  it.each(['garbage\n', '{"return": 1}\n', '{"QMP": {"version": {}}}\n', '{"error": {"desc": "what?"}}\n'])(
    'gives up a connection that brings %j',
    async (text) => {
      const client = unwrap(await connect());
      const ended = over();
      qemu.say(text);
      await ended;
      expect(closed).toHaveLength(1);
      expect(await client.execute('query-status')).toMatchObject({ error: { code: 'unavailable' } });
    },
  );

  it('takes no harm from answers that nobody asked for', async () => {
    const client = unwrap(await connect());
    qemu.say('{"return": {"status": "x"}, "id": 77}\n{"error": {"class": "a", "desc": "b"}, "id": 78}\n');
    expect(await client.execute('query-status')).toMatchObject({ ok: true, value: { status: 'running' } });
    client.close();
  });
});
