import { afterAll, beforeAll } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '#kernel';
import { startNatsServer, type NatsServer } from '#testing';
import { describeArchive, type ArchiveUnderTest } from '../archive/contract.js';
import { FileArchive } from './file-archive.js';
import { JetStreamLog } from './jetstream-log.js';
import { ensureStream, LOG_STREAM } from './streams.js';

let server: NatsServer;
let nc: NatsConnection;
let count = 0;

beforeAll(async () => {
  server = await startNatsServer({ config: 'max_payload: 65536' });
  nc = await connect({ servers: server.url });
});
afterAll(async () => {
  await nc?.close();
  await server?.stop();
});

async function open(): Promise<ArchiveUnderTest> {
  const names = { stream: `LOG${++count}`, prefix: `log${count}` };
  unwrap(await ensureStream(nc, { ...LOG_STREAM, name: names.stream, subjects: [`${names.prefix}.>`] }));
  const log = await JetStreamLog.open(nc, names);
  const dir = await mkdtemp(join(tmpdir(), 'portolan-archive-'));
  return {
    log,
    store: new FileArchive(join(dir, 'archive')),
    other: open,
    close: async () => {
      log.close();
      await rm(dir, { recursive: true, force: true });
    },
    damage: async (name, what) => {
      const ends = {
        messages: '.ndjson.gz',
        missing: '.ndjson.gz',
        manifest: '.json',
        snapshot: '.snapshot.ndjson.gz',
      };
      const path = join(dir, 'archive', `${name}${ends[what]}`);
      if (what === 'missing') return rm(path);
      const bytes = await readFile(path);
      const at = Math.floor(bytes.length / 2);
      bytes[at] = bytes[at]! ^ 1;
      return writeFile(path, bytes);
    },
  };
}

describeArchive('a stream, and files', open, 10);
