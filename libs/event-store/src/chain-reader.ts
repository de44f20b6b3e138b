import { err, ok, problem, type Lineage, type Problem, type Result, type Revision } from '#kernel';
import { type StoredMessage } from './commit-log.js';
import { type Commit, type EventCodec } from './decider.js';
import { decodeEnvelope, checkEvents } from './envelope-decode.js';
import {
  CHUNK_TYPE,
  NO_HASH,
  type ChunkEnvelope,
  type CommitEnvelope,
  type Hash,
  type WireEvent,
} from './envelope.js';
import { checkLogEvent, isLogEvent, type LogEvent } from './log-events.js';
import { type Upcasters } from './upcasters.js';

/** Where a reader stands in the log. */
export interface Head {
  readonly seq: number;
  /** Hash of the last message's bytes. */
  readonly hash: string;
  /** Undefined in an empty log only. */
  readonly lineage: Lineage | undefined;
  readonly revision: Revision;
  /** Time of the last commit, milliseconds since the epoch. */
  readonly time: number;
  readonly schemaLevel: number;
}

export const EMPTY_HEAD: Head = {
  seq: 0,
  hash: NO_HASH,
  lineage: undefined,
  revision: 0 as Revision,
  time: 0,
  schemaLevel: 1,
};

/** A message that can't be read: the reader stands before it and stays there. */
export interface Poison {
  readonly seq: number;
  /** The revision that it has or, where it can't say so, would have. */
  readonly revision: Revision;
  readonly hash: string;
  readonly problem: Problem;
}

/** What a message turned out to be. `head` is where the reader stands after it. */
export type ReadMessage<Event> =
  | { readonly kind: 'commit'; readonly head: Head; readonly commit: Commit<Event>; readonly log: LogEvent[] }
  | { readonly kind: 'chunk' | 'repudiated'; readonly head: Head };

/** How events are read. `schemaLevel` is the highest level that this code knows; default 1. */
export interface ReadRules<Event> {
  readonly hash: Hash;
  readonly codec: EventCodec<Event>;
  readonly upcasters: Upcasters;
  readonly schemaLevel?: number;
}

/** Hashes of repudiated messages and the revisions that they used up. */
export type Repudiations = ReadonlyMap<string, Revision>;

/** Chunks waiting for their commit, by its id. */
export type Staged = ReadonlyMap<string, readonly string[]>;

const utf8 = new TextEncoder();

/**
 * Interprets one message that follows `head`: decodes it, verifies the hash chain, lineage and revision, puts chunks
 * together, upcasts. Pure: an error leaves nothing behind, so the same message can be tried again.
 */
export function readMessage<Event>(
  message: StoredMessage,
  head: Head,
  staged: Staged,
  repudiated: Repudiations,
  rules: ReadRules<Event>,
): Result<ReadMessage<Event>, Poison> {
  const hash = rules.hash(message.bytes);
  const next = (head.revision + 1) as Revision;
  const poison = (fault: Problem, revision: Revision = next) =>
    err<Poison>({ seq: message.seq, revision, hash, problem: fault });
  if (message.seq !== head.seq + 1) {
    return poison(problem('internal', `messages are missing between ${head.seq} and ${message.seq}`));
  }
  const used = repudiated.get(hash);
  if (used !== undefined) {
    return ok({ kind: 'repudiated', head: { ...head, seq: message.seq, hash, revision: used } });
  }
  const decoded = decodeEnvelope(message.bytes, head.hash);
  if (!decoded.ok) return poison(decoded.error);
  const envelope = decoded.value;
  if (envelope.prevhash !== head.hash) {
    return poison(
      problem('internal', `the hash chain is broken: ${envelope.id} does not follow ${head.hash}`),
    );
  }
  if (envelope.type === CHUNK_TYPE) {
    const fault = checkChunk(envelope, head, staged);
    if (fault !== undefined) return poison(fault, envelope.revision);
    return ok({ kind: 'chunk', head: { ...head, seq: message.seq, hash } });
  }
  const wires = eventsOf(envelope, staged, rules.hash);
  if (!wires.ok) return poison(wires.error);
  const sorted = sortEvents(wires.value, rules);
  if (!sorted.ok) return poison(sorted.error);
  const fault = checkPlace(envelope, sorted.value.log, head) ?? checkLevel(sorted.value.log, rules);
  if (fault !== undefined) return poison(fault);
  return ok({
    kind: 'commit',
    head: headAfter(envelope, sorted.value.log, head, message.seq, hash),
    commit: toCommit(envelope, hash, sorted.value.domain),
    log: sorted.value.log,
  });
}

function checkChunk(envelope: ChunkEnvelope, head: Head, staged: Staged): Problem | undefined {
  const { commit, index } = envelope.data;
  if (envelope.lineage !== head.lineage || envelope.revision !== head.revision)
    return problem('internal', `a chunk of ${commit} is out of place`);
  const count = staged.get(commit)?.length ?? 0;
  return index === count
    ? undefined
    : problem('internal', `chunk ${index} of ${commit} came as number ${count}`);
}

/** The events of a commit, put together from `staged` if they were too large for one message. */
export function eventsOf(envelope: CommitEnvelope, staged: Staged, hash: Hash): Result<readonly WireEvent[]> {
  if ('events' in envelope.data) return ok(envelope.data.events);
  const parts = staged.get(envelope.id) ?? [];
  const { chunks, hash: expected } = envelope.data;
  if (parts.length !== chunks)
    return err(problem('internal', `commit ${envelope.id} has ${parts.length} of ${chunks} chunks`));
  const text = parts.join('');
  if (hash(utf8.encode(text)) !== expected)
    return err(problem('internal', `chunks of commit ${envelope.id} do not have its hash`));
  const events = JSON.parse(text) as unknown;
  const fault = checkEvents(events, 'chunks');
  return fault === undefined ? ok(events as WireEvent[]) : err(fault);
}

/** Separates the log's own events from those of the domain, which are upcast and decoded. */
export function sortEvents<Event>(
  wires: readonly WireEvent[],
  rules: ReadRules<Event>,
): Result<{ readonly domain: readonly Event[]; readonly log: LogEvent[] }> {
  const domain: Event[] = [];
  const log: LogEvent[] = [];
  for (const wire of wires) {
    if (isLogEvent(wire)) {
      const fault = checkLogEvent(wire);
      if (fault !== undefined) return err(fault);
      log.push({ type: wire.type, data: wire.data } as LogEvent);
      continue;
    }
    const newest = rules.upcasters.upcast(wire);
    if (!newest.ok) return newest;
    const event = rules.codec.fromWire(newest.value);
    if (!event.ok) return event;
    domain.push(event.value);
  }
  return ok({ domain, log });
}

function checkPlace(envelope: CommitEnvelope, log: readonly LogEvent[], head: Head): Problem | undefined {
  const opened = log.length === 0 ? undefined : log.find((e) => e.type === 'LineageOpened');
  const lineage = opened?.data.lineage ?? head.lineage;
  const revision = opened === undefined ? head.revision + 1 : 1;
  if (envelope.lineage !== lineage)
    return problem('internal', `commit ${envelope.id} is of lineage ${envelope.lineage}, not ${lineage}`);
  if (opened !== undefined && opened.data.previous?.lineage !== head.lineage)
    return problem('internal', `lineage ${lineage} does not continue ${head.lineage}`);
  if (envelope.revision !== revision)
    return problem('internal', `commit ${envelope.id} has revision ${envelope.revision}, not ${revision}`);
  return undefined;
}

function checkLevel(log: readonly LogEvent[], rules: { schemaLevel?: number }): Problem | undefined {
  if (log.length === 0) return undefined;
  const known = rules.schemaLevel ?? 1;
  const raised = log.find((e) => e.type === 'SchemaLevelRaised');
  if (raised === undefined || raised.data.level <= known) return undefined;
  return problem('internal', `schema level ${raised.data.level} is newer than ${known}, the newest known`);
}

function headAfter(
  envelope: CommitEnvelope,
  log: readonly LogEvent[],
  head: Head,
  seq: number,
  hash: string,
): Head {
  let schemaLevel = head.schemaLevel;
  for (const e of log) if (e.type === 'SchemaLevelRaised') schemaLevel = e.data.level;
  const { lineage, revision } = envelope;
  return { seq, hash, lineage, revision, time: millisOf(envelope.time), schemaLevel };
}

let [timeText, timeMs] = ['', NaN];

/** Many commits stand in one millisecond: what was parsed last is most often what is asked for. */
function millisOf(time: string): number {
  if (time !== timeText) [timeText, timeMs] = [time, Date.parse(time)];
  return timeMs;
}

/** An envelope with its decoded events as readers see it. */
export function toCommit<Event>(
  envelope: CommitEnvelope,
  hash: string,
  events: readonly Event[],
): Commit<Event> {
  const commit: { -readonly [K in keyof Commit<Event>]: Commit<Event>[K] } = {
    id: envelope.id,
    lineage: envelope.lineage,
    revision: envelope.revision,
    time: envelope.time,
    subject: envelope.subject,
    actor: envelope.actor,
    commandId: envelope.commandid,
    correlationId: envelope.correlationid,
    hash,
    events,
  };
  if (envelope.causationid !== undefined) commit.causationId = envelope.causationid;
  if (envelope.reason !== undefined) commit.reason = envelope.reason;
  return commit;
}
