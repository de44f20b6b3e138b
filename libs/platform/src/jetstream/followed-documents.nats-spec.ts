import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { systemClock, unwrap, type Lineage, type Revision } from '#kernel';
import { KEYS, sealDocument, STREAMS, SUBJECTS, type GroupDocument, type Verifier } from '#contracts';
import { DOCS_STREAM, ensureStream } from '#event-store/jetstream';
import { type Published } from '#protocol';
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

/** A mark is told. `first`: nobody has looked at the stream before it is. */
async function somebodyLeads(first: boolean): Promise<void> {
  const nc = await link.connection();
  await nc.flush();
  const { state } = await (await jetstreamManager(nc)).streams.info(STREAMS.documents);
  if (first) expect(state.consumer_count).toBe(0);
  nc.publish(SUBJECTS.live(KEYS.mark));
}

/** Follows from `known`, and gives what it knows once it has opened `count` documents. */
async function follow(count: number, known: Published | null = null): Promise<Published> {
  let open = 0;
  let done = (): void => undefined;
  const opened = new Promise<void>((resolve) => (done = resolve));
  const counting: Verifier = {
    verify: (...of) => {
      if ((open += 1) === count) setImmediate(done);
      return verifier.verify(...of);
    },
  };
  const onFault = (cause: unknown): never => expect(cause).toBeUndefined() as never;
  const followed = new FollowedDocuments({
    link,
    clock: systemClock,
    verifier: counting,
    onFault,
    idleMs: 1,
  });
  followed.keep(known);
  await somebodyLeads(known === null);
  await opened;
  const published = followed.take();
  // It was given away.
  expect(followed.take()).toBeNull();
  return published as Published;
}

const held = ({ documents }: Published) =>
  [...documents].map(([k, d]) => [k, d.document?.revision ?? null, d.seq]).sort();

it('has at hand what was written before and while it followed, from when somebody leads, and goes on from what is known', async () => {
  await write('a', 1);
  await write('b', 2);
  const known = await follow(2);
  expect(known.lastSeq).toBe(2);
  await write('a', 3);
  expect(held(await follow(1, known))).toEqual([
    ['s.group.a', 3, 3],
    ['s.group.b', 2, 2],
  ]);
});

it('holds what is not signed as something that can’t be read', async () => {
  const forger = unwrap(ed25519Signer(generateSigningKey().privateKey));
  const bytes = sealDocument(group('a', 4), { ...forger, kid: signer.kid });
  unwrap((await writer.put('s.group.a', bytes, seq)) as never);
  seq += 1;
  expect(held(await follow(2))).toEqual([
    ['s.group.a', null, seq],
    ['s.group.b', 2, 2],
  ]);
});
