import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { unwrap } from '#kernel';
import { DOCS_STREAM, ensureStream } from '#event-store/jetstream';
import { startNatsServer, type NatsServer } from '#testing';
import { NatsLink } from '../nats/link.js';
import { JetStreamDocumentStore } from './document-store.js';

let server: NatsServer;
let link: NatsLink;
beforeAll(async () => {
  server = await startNatsServer();
  link = NatsLink.open({ servers: [server.url], name: 'documents' });
  unwrap(await ensureStream(await link.connection(), DOCS_STREAM));
});
afterAll(async () => {
  await link?.close();
  await server?.stop();
});

it('reads what was written over in several of the server’s files, where it miscounts what is yet to come', async () => {
  const store = new JetStreamDocumentStore(link, { readTimeoutMs: 1_000 });
  const keys = Array.from({ length: 100 }, (_, i) => `h.a.port.p${i}`);
  let seq = 0;
  const put = async (key: string, bytes: Uint8Array): Promise<void> => {
    const stored = await store.put(key, bytes, seq);
    expect(stored).toEqual({ ok: true, value: { seq: (seq += 1) } });
  };
  // Files are of 4 MB; each batch is some documents and the mark.
  const batches = Array.from({ length: 60 }, (_, n) =>
    [0, 1, 2, 3, 4].map((k) => keys[(n * 31 + k * 17) % keys.length] ?? ''),
  );
  for (const key of [...keys, ...batches.flatMap((batch) => [...batch, 's.mark'])])
    await put(key, Buffer.alloc(60_000, 'x'));
  const { lastSeq, documents } = unwrap(await store.load());
  expect(lastSeq).toBe(seq);
  expect(documents.map((d) => d.key).sort()).toEqual([...keys, 's.mark'].sort());
  const since = documents.slice(-3);
  expect(unwrap(await store.load((since[0]?.seq ?? 0) - 1)).documents).toEqual(since);
  expect(unwrap(await store.load(seq))).toEqual({ lastSeq: seq, documents: [] });
  expect(unwrap(await store.mark())).toEqual(documents.at(-1));
  store.close();
});

it('takes out what is there, and what is gone already, as also behind the end, is no error', async () => {
  const store = new JetStreamDocumentStore(link);
  const { lastSeq } = unwrap(await store.load());
  const seq = lastSeq + 1;
  expect(await store.put('h.a.port.gone', Buffer.from('x'), lastSeq)).toEqual({ ok: true, value: { seq } });
  for (const it of [seq, seq, seq + 100])
    expect(await store.remove(it)).toEqual({ ok: true, value: undefined });
  expect(unwrap(await store.load()).documents.map(({ key }) => key)).not.toContain('h.a.port.gone');
  store.close();
});
