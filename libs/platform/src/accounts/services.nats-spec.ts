import { KEYS, SUBJECTS } from '#contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { stat } from 'node:fs/promises';
import { credentialsPath, ensureCredentials } from './credentials.js';
import { ask, next, World } from './world.fixture.js';

let world: World;
beforeAll(async () => {
  world = await World.start(['a']);
});
afterAll(() => world.stop());

describe('the rights of services', () => {
  it.each(['coordinator', 'api'])('%s reads the log and may not write it, nor documents', async (user) => {
    const nc = await world.as(user);
    await (await world.js()).publish('log.read', 'commit');
    const consumer = await jetstream(nc).consumers.get('LOG');
    const messages = await consumer.fetch({ max_messages: 1, expires: 2_000 });
    for await (const m of messages) expect(m.string()).toBe('commit');
    for (const subject of ['log.x', 'doc.s.mark', '$JS.API.STREAM.PURGE.LOG', '$JS.API.STREAM.DELETE.LOG'])
      expect(await ask(nc, subject)).toMatch(/Error$/);
  });

  it('may not hear the answers that others get', async () => {
    const api = await world.as('api');
    await expect(next(api, '_INBOX.coordinator.>')).rejects.toThrow(/permission/i);
    await expect(next(api, '_INBOX.>')).rejects.toThrow(/permission/i);
  });

  it('carries commands from api and coordinator to the manager', async () => {
    const manager = await world.as('manager');
    manager.subscribe('cmd.spec', { callback: (_e, m) => void m.respond('done') });
    await manager.flush();
    expect(await ask(await world.as('api'), 'cmd.spec')).toBe('done');
    expect(await ask(await world.as('coordinator'), 'cmd.spec')).toBe('done');
  });
});

describe('credentials', () => {
  it('are made once and readable by their owner only', async () => {
    const before = await ensureCredentials(world.credentials, ['a']);
    const after = await ensureCredentials(world.credentials, ['a', 'b']);
    expect(after).toMatchObject(before);
    expect(new Set(Object.values(after)).size).toBe(6);
    for (const user of Object.keys(after))
      expect((await stat(credentialsPath(world.credentials, user))).mode & 0o777).toBe(0o600);
    expect((await stat(world.credentials)).mode & 0o777).toBe(0o700);
  });
});

describe('growth', () => {
  it('takes a new host by two reloads and disturbs nobody', async () => {
    const nc = await world.agent('a');
    const events: string[] = [];
    void (async () => {
      for await (const status of nc.status()) events.push(status.type);
    })();
    const heard = new Promise<string>((resolve) => {
      nc.subscribe(SUBJECTS.liveHost('a'), {
        callback: (_e, m) => {
          if (m.string() === 'after growth') resolve(m.subject);
        },
      });
    });
    await nc.flush();
    await world.configure(['a', 'd']);
    // The server subscribes a new account's service imports only when it reloads an account that it knew before.
    await world.server.reload();
    await world.server.reload();
    const grown = await world.agent('d');
    expect(JSON.parse(await ask(grown, SUBJECTS.fact('d'), 'new'))).toMatchObject({ stream: 'FACT' });
    expect(JSON.parse(await ask(nc, SUBJECTS.fact('a'), 'old'))).toMatchObject({ stream: 'FACT' });
    await (await world.js()).publish(SUBJECTS.doc(KEYS.host('a')), 'after growth');
    expect(await heard).toBe(SUBJECTS.live(KEYS.host('a')));
    expect(await ask(grown, SUBJECTS.directGet(KEYS.host('a')))).toMatch(/Error$/);
    expect(events).not.toContain('disconnect');
  });

  it('lets a host go by one reload', async () => {
    await world.configure(['a', 'gone']);
    await world.server.reload();
    await world.server.reload();
    const nc = await world.agent('gone');
    const lost = (async () => {
      for await (const status of nc.status()) if (status.type === 'disconnect') return true;
      return false;
    })();
    await world.configure(['a']);
    await world.server.reload();
    expect(await lost).toBe(true);
    expect(JSON.parse(await ask(await world.agent('a'), SUBJECTS.fact('a'), 'on'))).toMatchObject({
      stream: 'FACT',
    });
  });
});
