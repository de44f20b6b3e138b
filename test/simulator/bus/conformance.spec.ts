import { Process } from '../engine/process.js';
import { Random } from '../engine/random.js';
import { Scheduler } from '../engine/scheduler.js';
import { FACT_CONSUMER } from '../story/settings.js';
import { describeBus, LEASE_MS, type Stored, type TestBus } from './conformance.fixture.js';
import { Consumer } from './consumer.js';
import { Link } from './link.js';
import { Server } from './server.js';
import { type StreamMessage } from './stream.js';

const utf8 = { in: new TextEncoder(), out: new TextDecoder() };
const toStored = ({ seq, subject, bytes }: StreamMessage): Stored => ({
  seq,
  subject,
  text: utf8.out.decode(bytes),
});

function simulated(windowMs: number): TestBus {
  const scheduler = new Scheduler();
  const random = new Random(1);
  const weather = { loss: 0, drop: 0, duplicate: 0, delay: 0.06, spike: 0.06 };
  const server = new Server(scheduler, random, weather);
  server.windowMs = windowMs;
  const link = new Link(new Process('test', scheduler, random), server);
  const facts = new Consumer(server.facts, scheduler, FACT_CONSUMER);
  const live: Stored[] = [];
  link.subscribe<{ key: string; seq: number; bytes: Uint8Array }>('live', ({ key, seq, bytes }) =>
    live.push({ subject: key, seq, text: utf8.out.decode(bytes) }),
  );
  const streams = { log: server.log, documents: server.docs, facts: server.facts };
  const pass = (ms: number): Promise<void> => scheduler.runUntil(scheduler.now + ms);
  return {
    live,
    publish: (stream, subject, text, options) => {
      const answer = streams[stream].publish(subject, utf8.in.encode(text), options);
      return Promise.resolve(answer.ok ? answer.value : answer.error);
    },
    last: (stream, subject) => {
      const found = streams[stream].last(subject);
      return Promise.resolve(found === undefined ? null : toStored(found));
    },
    all: (stream, from) => Promise.resolve(streams[stream].from(from).map(toStored)),
    lastSeq: (stream) => Promise.resolve(streams[stream].lastSeq),
    remove: (seq) => Promise.resolve(server.docs.delete(seq)),
    read: () => {
      const got: number[] = [];
      let isOver = false;
      const reading = facts.read(
        link,
        ({ seq }) => got.push(seq),
        () => (isOver = true),
      );
      const did = (): Promise<void> => Promise.resolve();
      return Promise.resolve({
        got,
        isOver: () => isOver,
        ack: (seq) => did().then(() => reading.ack(seq)),
        working: (seq) => did().then(() => reading.working(seq)),
        stop: () => did().then(() => reading.stop()),
      });
    },
    hold: (role, holder, expected) => Promise.resolve(server.hold(role, holder, expected, LEASE_MS)),
    until: async (ms, done) => {
      for (const end = scheduler.now + ms; ; await pass(50)) {
        if (await done()) return true;
        if (scheduler.now >= end) return false;
      }
    },
    close: () => Promise.resolve(),
  };
}

describeBus('simulated', (windowMs) => Promise.resolve(simulated(windowMs)));
