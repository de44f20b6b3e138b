import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { systemClock, unwrap, type HostName, type Lineage, type Revision } from '#kernel';
import { sealDocument, type GroupDocument } from '#contracts';
import { DOCS_STREAM, ensureStream } from '#event-store/jetstream';
import { startNatsServer, type NatsServer } from '#testing';
import { NatsLink } from '../nats/link.js';
import { ed25519Signer, ed25519Verifier, generateSigningKey } from '../signing.js';
import { JetStreamDocumentStore } from './document-store.js';
import { FollowedDocuments } from './followed-documents.js';

const key = generateSigningKey();
const signer = unwrap(ed25519Signer(key.privateKey));
const verifier = unwrap(ed25519Verifier([key.publicKey]));

let server: NatsServer;
let link: NatsLink;
let seq = 0;
let writer: JetStreamDocumentStore;
beforeAll(async () => {
  server = await startNatsServer();
  link = NatsLink.open({ servers: [server.url], name: 'documents' });
  unwrap(await ensureStream(await link.connection(), DOCS_STREAM));
  writer = new JetStreamDocumentStore(link);
});
afterAll(async () => {
  writer?.close();
  await link?.close();
  await server?.stop();
});

const group = (name: string, revision: number): GroupDocument =>
  ({
    type: 'group',
    schema: 1,
    key: `s.group.${name}`,
    lineage: '00000000-0000-4000-8000-000000000001' as Lineage,
    revision: revision as Revision,
    group: name,
    switch: 'prod',
    policy: {},
    overridable: [],
    binding: 'static',
    partitionPolicy: 'keep',
    startOffline: false,
    phase: 'open',
  }) as unknown as GroupDocument;

async function write(name: string, revision: number): Promise<void> {
  const document = group(name, revision);
  const stored = await writer.put(document.key, sealDocument(document, signer), seq);
  expect(stored).toEqual({ ok: true, value: { seq: (seq += 1) } });
}

const follower = (onFault = (cause: unknown): never => expect(cause).toBeUndefined() as never) =>
  new FollowedDocuments({ link, clock: systemClock, verifier, onFault, catchUpMs: 20_000 });

it('has at hand what was written before and while it followed, once', async () => {
  await write('a', 1);
  const followed = follower();
  followed.follow();
  await write('b', 2);
  await write('a', 3);
  const store = new JetStreamDocumentStore(link, { followed });
  const content = unwrap(await store.load());
  expect([content.lastSeq, content.documents]).toEqual([seq, []]);
  const held = [...(content.standing?.documents ?? [])].map(([k, d]) => [k, d.document?.revision, d.seq]);
  expect(held.sort()).toEqual([
    ['s.group.a', 3, 3],
    ['s.group.b', 2, 2],
  ]);
  // It was given away: whoever reads again reads the store.
  const again = unwrap(await store.load());
  expect(again.standing).toBeUndefined();
  expect(again.documents.map((d) => d.key).sort()).toEqual(['s.group.a', 's.group.b']);
  store.close();
});

it('gives nothing where the last message is another than it followed: the stream came back older', async () => {
  const followed = follower();
  followed.follow();
  const forged = { key: 's.group.a', seq, bytes: Buffer.from('another one') };
  expect(await followed.take(forged)).toBeNull();
  followed.follow();
  const last = sealDocument(group('a', 3), signer);
  expect(await followed.take({ key: 's.group.a', seq: seq - 1, bytes: last })).toBeNull();
  followed.follow();
  expect((await followed.take({ key: 's.group.a', seq, bytes: last }))?.lastSeq).toBe(seq);
});

it('holds what is not signed as something that can’t be read', async () => {
  const followed = follower();
  followed.follow();
  const bytes = Buffer.from('nobody’s');
  const host = 'x' as HostName;
  unwrap((await writer.put(`h.${host}.host`, bytes, seq)) as never);
  seq += 1;
  const published = await followed.take({ key: `h.${host}.host`, seq, bytes });
  expect(published?.documents.get(`h.${host}.host`)).toEqual({ document: null, seq });
});
