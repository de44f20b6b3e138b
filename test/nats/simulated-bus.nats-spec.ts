import { afterAll, beforeAll } from '@jest/globals';
import { jetstream, JetStreamApiError, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';
import { setTimeout as pause } from 'node:timers/promises';
import { DOCS_STREAM, ensureStream, FACTS_STREAM, LOG_STREAM } from '#event-store/jetstream';
import { startNatsServer, type NatsServer } from '#testing';
import { newest } from '../../apps/switch-manager/src/fact-intake.js';
import { describeBus, LEASE_MS, type Stored, type TestBus } from '../simulator/bus/conformance.fixture.js';

const WRONG_LAST_MSG_ID = 10070;
const WRONG_LAST_SEQUENCE = 10071;
const NO_MESSAGE = 10037;
const SPECS = { log: LOG_STREAM, documents: DOCS_STREAM, facts: FACTS_STREAM };

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

/** The error's code when it is one of these; anything else is no answer to a test. */
function coded<T>(cause: unknown, codes: Readonly<Record<number, T>>): T {
  if (cause instanceof JetStreamApiError && cause.code in codes) return codes[cause.code] as T;
  throw cause;
}

async function real(windowMs: number): Promise<TestBus> {
  const nc = await connect({ servers: server.url });
  const jsm = await jetstreamManager(nc);
  const js = jetstream(nc);
  for (const spec of Object.values(SPECS))
    await jsm.streams.delete(spec.name).catch((cause: unknown) => coded(cause, { 10059: false }));
  for (const spec of Object.values(SPECS)) {
    const made = await ensureStream(nc, { ...spec, duplicate_window: nanos(windowMs) });
    if (!made.ok) throw new Error(made.error.message);
  }
  await jsm.streams.delete('KV_LEASES').catch((cause: unknown) => coded(cause, { 10059: false }));
  const kv = await new Kvm(nc).create('LEASES', { ttl: LEASE_MS, history: 1 });
  const live: Stored[] = [];
  nc.subscribe('live.doc.>', {
    callback: (_, m) => {
      const seq = Number(m.headers?.get('Nats-Sequence'));
      live.push({ subject: m.subject.slice('live.doc.'.length), seq, text: m.string() });
    },
  });
  await nc.flush();
  return {
    live,
    publish: async (_stream, subject, text, { msgId, lastSeq, lastSubjectSeq, lastMsgId } = {}) => {
      const expect = {
        ...(lastSeq === undefined ? {} : { lastSequence: lastSeq }),
        ...(lastSubjectSeq === undefined ? {} : { lastSubjectSequence: lastSubjectSeq }),
        ...(lastMsgId === undefined ? {} : { lastMsgID: lastMsgId }),
      };
      try {
        const ack = await js.publish(subject, text, {
          expect,
          ...(msgId === undefined ? {} : { msgID: msgId }),
        });
        return { seq: ack.seq, duplicate: ack.duplicate };
      } catch (cause) {
        return coded(cause, {
          [WRONG_LAST_SEQUENCE]: 'wrong-last-sequence' as const,
          [WRONG_LAST_MSG_ID]: 'wrong-last-msg-id' as const,
        });
      }
    },
    last: async (stream, subject) => {
      const found =
        stream === 'documents'
          ? await jsm.direct.getMessage(SPECS[stream].name, { last_by_subj: subject })
          : await jsm.streams.getMessage(SPECS[stream].name, { last_by_subj: subject });
      return found === null ? null : { seq: found.seq, subject: found.subject, text: found.string() };
    },
    all: async (stream, from) => {
      const found: Stored[] = [];
      const { last_seq } = (await jsm.streams.info(SPECS[stream].name)).state;
      for (let seq = from; seq <= last_seq; seq += 1) {
        const m = await jsm.streams
          .getMessage(SPECS[stream].name, { seq })
          .catch((cause: unknown) => coded(cause, { [NO_MESSAGE]: null }));
        if (m !== null) found.push({ seq: m.seq, subject: m.subject, text: m.string() });
      }
      return found;
    },
    lastSeq: async (stream) => (await jsm.streams.info(SPECS[stream].name)).state.last_seq,
    remove: async (seq) => void (await jsm.streams.deleteMessage(SPECS.documents.name, seq, false)),
    read: () => reading(nc),
    hold: async (role, holder, expected) => {
      try {
        return expected === null ? await kv.create(role, holder) : await kv.update(role, holder, expected);
      } catch (cause) {
        return coded(cause, { [WRONG_LAST_SEQUENCE]: null });
      }
    },
    until: async (ms, done) => {
      for (const end = performance.now() + ms; ; await pause(25)) {
        if (await done()) return true;
        if (performance.now() >= end) return false;
      }
    },
    close: () => nc.close(),
  };
}

let readings = 0;

/** As the switch-manager reads facts. */
async function reading(nc: NatsConnection): ReturnType<TestBus['read']> {
  const name = await newest(await jetstreamManager(nc), `sequencer-${(readings += 1)}`);
  const consumer = await jetstream(nc).consumers.get(FACTS_STREAM.name, name);
  const messages = await consumer.consume({ max_messages: 64, abort_on_missing_resource: true });
  const got: number[] = [];
  const last = new Map<number, JsMsg>();
  let isOver = false;
  const ended = (async () => {
    for await (const message of messages) {
      got.push(message.seq);
      last.set(message.seq, message);
    }
  })()
    .catch(() => undefined)
    .then(() => (isOver = true));
  return {
    got,
    isOver: () => isOver,
    ack: async (seq) => {
      last.get(seq)?.ack();
      await nc.flush();
    },
    working: async (seq) => {
      last.get(seq)?.working();
      await nc.flush();
    },
    stop: async () => {
      messages.stop();
      await ended;
    },
  };
}

describeBus('a real server', real);
