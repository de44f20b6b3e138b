import { randomUUID } from 'node:crypto';
import { createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { systemClock, unwrap } from '#kernel';
import {
  openSequencer,
  type CommitLog,
  type Decider,
  type ReplicaRules,
  type Sequencer,
  type StoredMessage,
} from '#event-store';
import { ensureStream, JetStreamLog, LOG_STREAM } from '#event-store/jetstream';
import { pump } from './pump.js';

/** Publications under way at a time, on both sides of the comparison. */
export const WINDOW = 1000;

let streams = 0;

export async function newLog(nc: NatsConnection): Promise<JetStreamLog> {
  const names = { stream: `BENCH${++streams}`, prefix: `bench${streams}` };
  unwrap(await ensureStream(nc, { ...LOG_STREAM, name: names.stream, subjects: [`${names.prefix}.>`] }));
  return JetStreamLog.open(nc, names);
}

export async function sequencerOn<State, Command, Event>(
  log: CommitLog,
  rules: ReplicaRules<State, Event> & { readonly decider: Decider<State, Command, Event> },
): Promise<Sequencer<State, Command, Event>> {
  const ids = { next: () => randomUUID() as string };
  const onFault = (cause: unknown): never => {
    throw cause;
  };
  const options = { log, rules, clock: systemClock, ids, cluster: 'bench', actor: 'bench', onFault };
  return unwrap(await openSequencer(options));
}

export async function readAll(log: CommitLog): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const batch of log.read(1)) all.push(...batch);
  return all;
}

/** The client as it is: headers by its own means, acks matched by one subscription. Seconds for all. */
export async function publishRaw(nc: NatsConnection, stored: readonly StoredMessage[]): Promise<number> {
  const name = `BENCH${++streams}`;
  const subject = `bench${streams}.commit`;
  unwrap(await ensureStream(nc, { ...LOG_STREAM, name, subjects: [subject] }));
  const ids = stored.map(() => randomUUID());
  const inbox = createInbox();
  const waiting = new Map<string, (seq: number) => void>();
  const subscription = nc.subscribe(`${inbox}.*`, {
    callback: (_error, msg) => {
      const token = msg.subject.slice(inbox.length + 1);
      waiting.get(token)?.(msg.json<{ seq: number }>().seq);
      waiting.delete(token);
    },
  });
  const seconds = await pump(stored.length, WINDOW, (i) => {
    const hdrs = headers();
    hdrs.set('Nats-Msg-Id', ids[i]!);
    hdrs.set('Nats-Expected-Last-Sequence', String(i));
    if (i > 0) hdrs.set('Nats-Expected-Last-Msg-Id', ids[i - 1]!);
    nc.publish(subject, stored[i]!.bytes, { headers: hdrs, reply: `${inbox}.${i}` });
    return new Promise<number>((resolve) => waiting.set(String(i), resolve)).then((seq) => {
      if (seq !== i + 1) throw new Error(`message ${i} was stored as ${seq}`);
    });
  });
  subscription.unsubscribe();
  return seconds;
}

/** The same bytes through our own way to the stream, without deciding, encoding or hashing: what the store adds. */
export async function appendRaw(nc: NatsConnection, stored: readonly StoredMessage[]): Promise<number> {
  const log = await newLog(nc);
  const ids = stored.map(() => randomUUID());
  const seconds = await pump(stored.length, WINDOW, async (i) => {
    unwrapAppend(await log.append({ id: ids[i]!, topic: 'commit', bytes: stored[i]!.bytes }, i, ids[i - 1]));
  });
  log.close();
  return seconds;
}

function unwrapAppend(result: Awaited<ReturnType<CommitLog['append']>>): void {
  if (!result.ok) throw new Error(`an append failed: ${result.error}`);
}

/** A stream of a bench takes room in the server's memory and on disk; it goes when its round is over. */
export async function dropStreams(nc: NatsConnection): Promise<void> {
  const { jetstreamManager } = await import('@nats-io/jetstream');
  const manager = await jetstreamManager(nc);
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
}
