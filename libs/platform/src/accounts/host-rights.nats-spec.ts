import { KEYS, SUBJECTS } from '#contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aims, expectAimMissed, forbiddenToAsk } from './attacks.fixture.js';
import { ask, next, World } from './world.fixture.js';

const HOSTS = ['a', 'b-2', '1c'];
let world: World;
beforeAll(async () => {
  world = await World.start(HOSTS);
});
afterAll(() => world.stop());

describe.each(HOSTS)('the rights of host %s', (host) => {
  const other = HOSTS.find((name) => name !== host) ?? '';

  it('hears its own and the shared documents as they change', async () => {
    const nc = await world.agent(host);
    const js = await world.js();
    const own = next(nc, SUBJECTS.liveHost(host));
    const shared = next(nc, SUBJECTS.liveShared);
    await nc.flush();
    await js.publish(SUBJECTS.doc(KEYS.host(other)), `document of ${other}`);
    await js.publish(SUBJECTS.doc(KEYS.host(host)), `document of ${host}`);
    await js.publish(SUBJECTS.doc(KEYS.mark), 'mark');
    const first = await own;
    expect([first.subject, first.string()]).toEqual([SUBJECTS.live(KEYS.host(host)), `document of ${host}`]);
    expect(first.headers?.get('Nats-Subject')).toBe(SUBJECTS.doc(KEYS.host(host)));
    expect(Number(first.headers?.get('Nats-Sequence'))).toBeGreaterThan(0);
    expect((await shared).subject).toBe(SUBJECTS.live(KEYS.mark));
  });

  it('reads its own and the shared documents, with subject and sequence', async () => {
    const nc = await world.agent(host);
    const reply = await nc.request(SUBJECTS.directGet(KEYS.host(host)), '', { timeout: 10_000 });
    expect(reply.string()).toBe(`document of ${host}`);
    expect(reply.headers?.get('Nats-Subject')).toBe(SUBJECTS.doc(KEYS.host(host)));
    expect(Number(reply.headers?.get('Nats-Sequence'))).toBeGreaterThan(0);
    expect(await ask(nc, SUBJECTS.directGet(KEYS.mark))).toBe('mark');
    const absent = await nc.request(SUBJECTS.directGet(KEYS.port(host, 'p1')), '', { timeout: 10_000 });
    expect(absent.headers?.code).toBe(404);
  });

  it('delivers facts and checkpoints with the stream acknowledging, and reports', async () => {
    const nc = await world.agent(host);
    expect(JSON.parse(await ask(nc, SUBJECTS.fact(host), 'fact'))).toMatchObject({ stream: 'FACT' });
    expect(JSON.parse(await ask(nc, SUBJECTS.checkpoint(host), 'ckpt'))).toMatchObject({ stream: 'CKPT' });
    expect(await world.stored('FACT', SUBJECTS.fact(host))).toBe('fact');
    const [manager, api] = [await world.as('manager'), await world.as('api')];
    const report = next(manager, SUBJECTS.report(host));
    const tele = next(api, SUBJECTS.telemetry(host));
    await Promise.all([manager.flush(), api.flush()]);
    manager.subscribe(SUBJECTS.lease(host), {
      callback: (_error, question) => void question.respond('granted'),
    });
    await manager.flush();
    expect(await ask(nc, SUBJECTS.lease(host), 'may I')).toBe('granted');
    nc.publish(SUBJECTS.report(host), 'r');
    nc.publish(SUBJECTS.telemetry(host), 't');
    expect([(await report).string(), (await tele).string()]).toEqual(['r', 't']);
  });

  it('tells the managers of connections, and hears what they pass on to it', async () => {
    const [nc, manager] = [await world.agent(host), await world.as('manager')];
    const [told, passedOn] = [SUBJECTS.connections(host, 'p1', 2), SUBJECTS.liveConnections(host, 'p1', 2)];
    const [asked, heard] = [next(manager, SUBJECTS.connections('*', '*', '*')), next(nc, passedOn)];
    await Promise.all([nc.flush(), manager.flush()]);
    nc.publish(told, 'c');
    manager.publish(passedOn, 'd');
    expect([(await asked).subject, (await heard).string()]).toEqual([told, 'd']);
  });

  it.each(forbiddenToAsk(host, other))('may not ask for or write %s', async (_what, subject) => {
    const body = JSON.stringify({ last_by_subj: SUBJECTS.doc(KEYS.host(other)) });
    // The permission speaks first, and the request never leaves the connection.
    expect(await ask(await world.agent(host), subject, body)).toMatch(/Error$/);
  });

  it.each([
    SUBJECTS.liveHost(other),
    'live.doc.>',
    'live.doc.h.>',
    '>',
    'fact.*',
    'report.*',
    '_INBOX.>',
    'conn.>',
  ])('may not listen to %s', async (subject) => {
    await expect(next(await world.agent(host), subject)).rejects.toThrow(/permission/i);
  });

  it.each(aims(other))('can not aim a reply at %s', (target) => expectAimMissed(world, host, other, target));
});
