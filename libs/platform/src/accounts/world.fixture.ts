import { unwrap } from '#kernel';
import { KEYS, SUBJECTS } from '#contracts';
import { jetstream, jetstreamManager, type JetStreamClient } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { readCredentials } from '../nats/options.js';
import { SpecServer } from '../spec-server.fixture.js';
import { credentialsPath, ensureCredentials } from './credentials.js';
import { generateServerConfig } from './server-config.js';

/** A real server with the generated accounts and the streams that the subjects speak of. */
export class World {
  private readonly open = new Map<string, NatsConnection>();
  private constructor(
    readonly server: SpecServer,
    private readonly alter: (config: string) => string,
  ) {}

  static async start(hosts: readonly string[], alter = (config: string): string => config): Promise<World> {
    const world = new World(await SpecServer.prepare(), alter);
    await world.configure(hosts);
    await world.server.boot();
    const jsm = await jetstreamManager(await world.as('manager'));
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
    const js = await world.js();
    for (const host of hosts) await js.publish(SUBJECTS.doc(KEYS.host(host)), `document of ${host}`);
    await js.publish(SUBJECTS.doc(KEYS.mark), 'mark');
    return world;
  }

  async configure(hosts: readonly string[]): Promise<void> {
    const text = generateServerConfig({
      hosts,
      port: this.server.port,
      storeDir: join(this.server.dir, 'js'),
      jetstream: {},
      passwords: await ensureCredentials(this.credentials, hosts),
    });
    await this.server.write(this.alter(unwrap(text)));
  }

  get credentials(): string {
    return join(this.server.dir, 'credentials');
  }

  async as(user: string): Promise<NatsConnection> {
    const known = this.open.get(user);
    if (known !== undefined) return known;
    const file = unwrap(await readCredentials(credentialsPath(this.credentials, user)));
    const nc = await connect({
      servers: this.server.url,
      user: file.user,
      pass: file.password,
      inboxPrefix: file.inboxPrefix,
    });
    this.open.set(user, nc);
    return nc;
  }

  agent(host: string): Promise<NatsConnection> {
    return this.as(`host.${host}`);
  }

  async js(): Promise<JetStreamClient> {
    return jetstream(await this.as('manager'));
  }

  /** Last message of a subject, or undefined. */
  async stored(stream: string, subject: string): Promise<string | undefined> {
    const jsm = await jetstreamManager(await this.as('manager'));
    return (await jsm.streams.getMessage(stream, { last_by_subj: subject }))?.string();
  }

  async stop(): Promise<void> {
    for (const nc of this.open.values()) await nc.close();
    await this.server.stop();
  }
}

/** The answer's text, or the error's name. */
export async function ask(nc: NatsConnection, subject: string, body = '', timeout = 10_000): Promise<string> {
  try {
    return (await nc.request(subject, body, { timeout })).string();
  } catch (error) {
    return (error as Error).name;
  }
}

/** The next message on a subject; rejects when the server refuses the subscription. */
export const next = (nc: NatsConnection, subject: string): Promise<Msg> =>
  new Promise((resolve, reject) => {
    nc.subscribe(subject, {
      max: 1,
      callback: (error, msg) => (error === null ? resolve(msg) : reject(error)),
    });
  });
