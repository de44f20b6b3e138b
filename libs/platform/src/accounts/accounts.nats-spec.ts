import { unwrap } from '#kernel';
import { KEYS, SUBJECTS } from '#contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { readCredentials } from '../nats/options.js';
import { SpecServer } from '../spec-server.js';
import { credentialsPath, ensureCredentials } from './credentials.js';
import { generateServerConfig } from './server-config.js';

const HOSTS = ['a', 'b-2', '1c'];
let server: SpecServer;
const open = new Map<string, NatsConnection>();
let js: JetStreamClient;

async function config(hosts: readonly string[]): Promise<string> {
  const passwords = await ensureCredentials(join(server.dir, 'creds'), hosts);
  return unwrap(
    generateServerConfig({
      hosts,
      port: server.port,
      storeDir: join(server.dir, 'js'),
      jetstream: {},
      passwords,
    }),
  );
}

async function as(user: string): Promise<NatsConnection> {
  const known = open.get(user);
  if (known !== undefined) return known;
  const {
    user: name,
    password,
    inboxPrefix,
  } = unwrap(await readCredentials(credentialsPath(join(server.dir, 'creds'), user)));
  const nc = await connect({ servers: server.url, user: name, pass: password, inboxPrefix });
  open.set(user, nc);
  return nc;
}

const agent = (host: string): Promise<NatsConnection> => as(`host.${host}`);
const stored = async (stream: string, subject: string): Promise<string | undefined> => {
  const jsm = await jetstreamManager(await as('manager'));
  const found = await jsm.streams.getMessage(stream, { last_by_subj: subject });
  return found?.string();
};
/** The answer's text, or the error's name. */
const ask = async (nc: NatsConnection, subject: string, body = ''): Promise<string> => {
  try {
    return (await nc.request(subject, body, { timeout: 2_000 })).string();
  } catch (error) {
    return (error as Error).name;
  }
};
const next = (nc: NatsConnection, subject: string): Promise<Msg> =>
  new Promise((resolve, reject) => {
    nc.subscribe(subject, {
      max: 1,
      callback: (error, msg) => (error === null ? resolve(msg) : reject(error)),
    });
  });

beforeAll(async () => {
  server = await SpecServer.prepare();
  await server.write(await config(HOSTS));
  await server.boot();
  const manager = await as('manager');
  const jsm = await jetstreamManager(manager);
  await jsm.streams.add({ name: 'LOG', subjects: ['log.>'] });
  await jsm.streams.add({
    name: 'DOC',
    subjects: ['doc.>'],
    max_msgs_per_subject: 1,
    allow_direct: true,
    republish: { src: 'doc.>', dest: 'live.doc.>' },
  });
  await jsm.streams.add({ name: 'FACT', subjects: ['fact.*'] });
  await jsm.streams.add({ name: 'CKPT', subjects: ['ckpt.*'], max_msgs_per_subject: 1 });
  js = jetstream(manager);
  for (const host of HOSTS) await js.publish(SUBJECTS.doc(KEYS.host(host)), `document of ${host}`);
  await js.publish(SUBJECTS.doc(KEYS.mark), 'mark');
});
afterAll(async () => {
  for (const nc of open.values()) await nc.close();
  await server.stop();
});

describe.each(HOSTS)('the rights of host %s', (host) => {
  const other = HOSTS.find((name) => name !== host) ?? '';

  it('hears its own and the shared documents as they change', async () => {
    const nc = await agent(host);
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
    const nc = await agent(host);
    const reply = await nc.request(SUBJECTS.directGet(KEYS.host(host)), '', { timeout: 2_000 });
    expect(reply.string()).toBe(`document of ${host}`);
    expect(reply.headers?.get('Nats-Subject')).toBe(SUBJECTS.doc(KEYS.host(host)));
    expect(Number(reply.headers?.get('Nats-Sequence'))).toBeGreaterThan(0);
    expect(await ask(nc, SUBJECTS.directGet(KEYS.mark))).toBe('mark');
    const absent = await nc.request(SUBJECTS.directGet(KEYS.port(host, 'p1')), '', { timeout: 2_000 });
    expect(absent.headers?.code).toBe(404);
  });

  it('delivers facts and checkpoints with the stream acknowledging, and reports', async () => {
    const nc = await agent(host);
    expect(JSON.parse(await ask(nc, SUBJECTS.fact(host), 'fact'))).toMatchObject({ stream: 'FACT' });
    expect(JSON.parse(await ask(nc, SUBJECTS.checkpoint(host), 'ckpt'))).toMatchObject({ stream: 'CKPT' });
    expect(await stored('FACT', SUBJECTS.fact(host))).toBe('fact');
    const report = next(await as('manager'), SUBJECTS.report(host));
    const tele = next(await as('api'), SUBJECTS.telemetry(host));
    await (await as('manager')).flush();
    await (await as('api')).flush();
    nc.publish(SUBJECTS.report(host), 'r');
    nc.publish(SUBJECTS.telemetry(host), 't');
    expect([(await report).string(), (await tele).string()]).toEqual(['r', 't']);
  });

  it.each([
    ['documents of another', SUBJECTS.directGet(KEYS.host(other))],
    ['documents of another, by body', '$JS.API.DIRECT.GET.DOC'],
    ['any message', '$JS.API.STREAM.MSG.GET.DOC'],
    ['the list of streams', '$JS.API.STREAM.NAMES'],
    ['a stream', '$JS.API.STREAM.INFO.LOG'],
    ['a consumer', '$JS.API.CONSUMER.CREATE.DOC'],
    ['a purge', '$JS.API.STREAM.PURGE.DOC'],
    ['account information', '$JS.API.INFO'],
    ['a command', SUBJECTS.command('apply')],
    ['a document', SUBJECTS.doc(KEYS.host(host))],
    ['the log', SUBJECTS.log('x')],
    ['facts of another', SUBJECTS.fact(other)],
    ['checkpoints of another', SUBJECTS.checkpoint(other)],
    ['reports of another', SUBJECTS.report(other)],
  ])('may not ask for or write %s', async (_what, subject) => {
    const answer = await ask(await agent(host), subject, JSON.stringify({ last_by_subj: 'doc.h.a.host' }));
    expect(['PermissionViolationError', 'NoRespondersError', 'RequestError']).toContain(answer);
  });

  it.each([SUBJECTS.liveHost(other), 'live.doc.>', 'live.doc.h.>', '>', 'fact.*', 'report.*', '_INBOX.>'])(
    'may not listen to %s',
    async (subject) => {
      const nc = await agent(host);
      await expect(next(nc, subject)).rejects.toThrow(/permission/i);
    },
  );

  it.each([
    SUBJECTS.doc(KEYS.host(other)),
    SUBJECTS.live(KEYS.host(other)),
    SUBJECTS.log('x'),
    SUBJECTS.fact(other),
    SUBJECTS.report(other),
    SUBJECTS.command('apply'),
  ])('can not aim a reply at %s', async (target) => {
    const nc = await agent(host);
    const victim = await agent(other);
    const heard: string[] = [];
    const note = (error: Error | null, msg: Msg) => {
      if (error === null) heard.push(`${msg.subject} ${msg.string()}`);
    };
    const subs = [
      victim.subscribe(SUBJECTS.liveHost(other), { callback: note }),
      (await as('manager')).subscribe('report.*', { callback: note }),
      (await as('manager')).subscribe('cmd.>', { callback: note }),
    ];
    await victim.flush();
    await (await as('manager')).flush();
    const before = await stored('DOC', SUBJECTS.doc(KEYS.host(other)));
    const facts = await stored('FACT', SUBJECTS.fact(other)).catch(() => undefined);
    nc.publish(SUBJECTS.fact(host), 'forged', { reply: target });
    nc.publish(SUBJECTS.checkpoint(host), 'forged', { reply: target });
    nc.publish(SUBJECTS.directGet(KEYS.host(host)), '', { reply: target });
    // A full round trip through the same services: what was aimed has landed, wherever it went.
    await ask(nc, SUBJECTS.fact(host), 'fact');
    await ask(nc, SUBJECTS.checkpoint(host), 'ckpt');
    await ask(nc, SUBJECTS.directGet(KEYS.host(host)));
    await victim.flush();
    expect(heard).toEqual([]);
    expect(await stored('DOC', SUBJECTS.doc(KEYS.host(other)))).toBe(before);
    expect(await stored('FACT', SUBJECTS.fact(other)).catch(() => undefined)).toBe(facts);
    await expect(
      stored('LOG', 'log.x').then((found) => found ?? Promise.reject(new Error('none'))),
    ).rejects.toThrow();
    for (const sub of subs) sub.unsubscribe();
  });
});

describe('the rights of services', () => {
  it.each(['coordinator', 'api'])('%s reads the log and may not write it, nor documents', async (user) => {
    const nc = await as(user);
    await js.publish('log.read', 'commit');
    const consumer = await jetstream(nc).consumers.get('LOG');
    const messages = await consumer.fetch({ max_messages: 1, expires: 2_000 });
    for await (const m of messages) expect(m.string()).toBe('commit');
    for (const subject of ['log.x', 'doc.s.mark', '$JS.API.STREAM.PURGE.LOG', '$JS.API.STREAM.DELETE.LOG'])
      expect(await ask(nc, subject)).toMatch(/PermissionViolationError|RequestError/);
  });

  it('may not hear the answers that others get', async () => {
    await expect(next(await as('api'), '_INBOX.coordinator.>')).rejects.toThrow(/permission/i);
    await expect(next(await as('api'), '_INBOX.>')).rejects.toThrow(/permission/i);
  });

  it('carries commands from api and coordinator to the manager', async () => {
    const manager = await as('manager');
    manager.subscribe('cmd.spec', { callback: (_e, m) => void m.respond('done') });
    await manager.flush();
    expect(await ask(await as('api'), 'cmd.spec')).toBe('done');
    expect(await ask(await as('coordinator'), 'cmd.spec')).toBe('done');
  });
});

describe('growth', () => {
  it('takes a new host by reload and disturbs nobody', async () => {
    const nc = await agent('a');
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
    await server.write(await config([...HOSTS, 'd']));
    await server.reload();
    expect(JSON.parse(await ask(await agent('d'), SUBJECTS.fact('d'), 'new'))).toMatchObject({
      stream: 'FACT',
    });
    expect(JSON.parse(await ask(nc, SUBJECTS.fact('a'), 'old'))).toMatchObject({ stream: 'FACT' });
    await js.publish(SUBJECTS.doc(KEYS.host('a')), 'after growth');
    expect(await heard).toBe(SUBJECTS.live(KEYS.host('a')));
    expect(await ask(await agent('d'), SUBJECTS.directGet(KEYS.host('a')))).toMatch(/Error/);
    expect(events).not.toContain('disconnect');
  });
});
