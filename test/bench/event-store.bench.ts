import { randomUUID } from 'node:crypto';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { ok, systemClock, unwrap } from '#kernel';
import {
  flatCodec,
  openSequencer,
  replay,
  Replica,
  Upcasters,
  type CommitLog,
  type StoredMessage,
} from '#event-store';
import { ensureStream, JetStreamLog, LOG_STREAM, sha256 } from '#event-store/jetstream';
import { startNatsServer } from '#testing';

// A small but not empty decider: what is measured is the store's own work.
interface Tally {
  readonly count: number;
  readonly sum: number;
}
interface Counted {
  readonly type: 'Counted';
  readonly port: string;
  readonly host: string;
  readonly epoch: number;
  readonly policy: { readonly vlan: number; readonly blocked: boolean; readonly filter: readonly string[] };
}

const upcasters = new Upcasters({ Counted: 1 });
const rules = {
  decider: {
    initial: { count: 0, sum: 0 },
    decide: (_state: Tally, epoch: number) =>
      ok<Counted[]>([
        {
          type: 'Counted',
          port: `p${epoch}`,
          host: 'host-17',
          epoch,
          policy: { vlan: 100, blocked: false, filter: ['allow tcp 443', 'allow udp 53', 'drop any'] },
        },
      ]),
    evolve: (state: Tally, event: Counted): Tally => ({
      count: state.count + 1,
      sum: state.sum + event.epoch,
    }),
  },
  hash: sha256,
  codec: flatCodec<Counted>(upcasters),
  upcasters,
};

export interface AppendFigures {
  readonly commits: number;
  /** Commits a second. */
  readonly sequencer: number;
  readonly raw: number;
  readonly ratio: number;
}

export interface ReplayFigures {
  readonly commits: number;
  /** Commits a second, from the store to the state. */
  readonly replay: number;
  /** Commits a second, from the store through JSON.parse. */
  readonly parse: number;
  readonly ratio: number;
}

let streams = 0;

async function newLog(nc: NatsConnection): Promise<JetStreamLog> {
  const names = { stream: `BENCH${++streams}`, prefix: `bench${streams}` };
  unwrap(await ensureStream(nc, { ...LOG_STREAM, name: names.stream, subjects: [`${names.prefix}.>`] }));
  return JetStreamLog.open(nc, names);
}

/** Runs `send` for 0..count-1 with a bounded number under way; the time of all, in seconds. */
async function pump(count: number, window: number, send: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    let done = 0;
    const more = (): void => {
      if (next < count) send(next++).then(ended, reject);
    };
    const ended = (): void => {
      if (++done === count) resolve();
      else more();
    };
    for (let i = 0; i < window; i++) more();
  });
  return (performance.now() - begun) / 1000;
}

async function readAll(log: CommitLog): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for await (const batch of log.read(1)) all.push(...batch);
  return all;
}

const WINDOW = 1000;

/** The client as it is: headers by its own means, acks matched by one subscription. Seconds for all. */
async function publishRaw(nc: NatsConnection, stored: readonly StoredMessage[]): Promise<number> {
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

/**
 * Commits through the sequencer against the same client's publishing of the same bodies with the same headers to an
 * equal stream, turn about, so that both meet the same machine.
 */
export async function benchAppend(nc: NatsConnection, commits = 20_000, rounds = 3): Promise<AppendFigures> {
  // What runs first warms up the other: neither counts then.
  await publishRaw(nc, await commitAll(nc, 3000, () => undefined));
  let [ours, raw] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const stored = await commitAll(nc, commits, (seconds) => (ours += seconds));
    raw += await publishRaw(nc, stored);
  }
  const total = commits * rounds;
  return { commits: total, sequencer: total / ours, raw: total / raw, ratio: raw / ours };
}

/** Commits through a new sequencer to a new stream; gives what is in it then. */
async function commitAll(
  nc: NatsConnection,
  commits: number,
  took: (seconds: number) => void,
): Promise<StoredMessage[]> {
  const log = await newLog(nc);
  const onFault = (cause: unknown): never => {
    throw cause;
  };
  const ids = { next: () => randomUUID() };
  const options = { log, rules, clock: systemClock, ids, cluster: 'bench', actor: 'bench', onFault };
  const sequencer = unwrap(await openSequencer(options));
  took(
    await pump(commits, WINDOW, (i) =>
      sequencer.submit({ commandId: `c${i}`, actor: 'bench', command: i }).then(unwrap),
    ),
  );
  const stored = await readAll(log);
  log.close();
  return stored;
}

/** Reading the log into the state against reading and parsing it, turn about. */
export async function benchReplay(nc: NatsConnection, commits = 40_000, rounds = 3): Promise<ReplayFigures> {
  const log = await newLog(nc);
  const ids = { next: () => randomUUID() };
  const onFault = (cause: unknown): never => {
    throw cause;
  };
  const options = { log, rules, clock: systemClock, ids, cluster: 'bench', actor: 'bench', onFault };
  const sequencer = unwrap(await openSequencer(options));
  await pump(commits, WINDOW, (i) => sequencer.submit({ commandId: `c${i}`, actor: 'bench', command: i }));
  const utf8 = new TextDecoder();
  let [ours, parse, seen] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    let begun = performance.now();
    for await (const batch of log.read(1)) {
      for (const { bytes } of batch) seen += JSON.parse(utf8.decode(bytes)) === null ? 0 : 1;
    }
    parse += performance.now() - begun;
    begun = performance.now();
    const replica = new Replica(rules);
    for await (const batch of log.read(1)) {
      for (const message of batch) if (!replica.apply(message).ok) throw new Error('the log can not be read');
    }
    ours += performance.now() - begun;
    if (replica.state.count !== commits) throw new Error('the replay lost commits');
  }
  const whole = replay(await readAll(log), rules);
  if (!whole.ok || whole.value.state.sum !== sequencer.state.sum) throw new Error('the replay differs');
  log.close();
  const total = seen / 1000;
  return { commits: seen, replay: (total / ours) * 1e6, parse: (total / parse) * 1e6, ratio: parse / ours };
}

/** Both, on a server of their own. */
export async function benchEventStore(): Promise<{ append: AppendFigures; replay: ReplayFigures }> {
  const server = await startNatsServer();
  const nc = await connect({ servers: server.url });
  try {
    return { append: await benchAppend(nc), replay: await benchReplay(nc) };
  } finally {
    await nc.close();
    await server.stop();
  }
}

if (process.argv[1]?.endsWith('event-store.bench.js')) {
  process.stdout.write(`${JSON.stringify(await benchEventStore())}\n`);
}
