import { canonicalJson, err, invalid, ok, type IdGenerator, type Result, type Revision } from '#kernel';
import { type Head } from './chain-reader.js';
import { type NewMessage, type Topic } from './commit-log.js';
import { type CommandMeta } from './decider.js';
import {
  CHUNK_TYPE,
  COMMIT_TYPE,
  encodeEnvelope,
  type CommitEnvelope,
  type Hash,
  type WireEvent,
} from './envelope.js';
import { type LogEvent } from './log-events.js';

/** What is the same in every commit of a writer. */
export interface WriterRules {
  readonly hash: Hash;
  readonly ids: IdGenerator;
  /** Name of the cluster: lower-case letters, digits and hyphens. */
  readonly cluster: string;
  /** Largest message; larger commits are chunked. */
  readonly maxBytes: number;
  /** Largest commit, in UTF-16 units of its events' JSON. Default 16 Mi. */
  readonly maxCommitLength?: number;
}

/** A message and the place that it must go to. */
export interface Placed {
  readonly message: NewMessage;
  readonly expectedLastSeq: number;
  /** Id of the message that this writer placed before it; undefined for its first. */
  readonly previousId: string | undefined;
  /** Of the message that must stand before it; empty for the first of the log. */
  readonly previousHash: string;
}

/** A commit as messages: its chunks if any, then itself. */
export interface Written {
  readonly placed: readonly Placed[];
  readonly head: Head;
  readonly envelope: CommitEnvelope;
}

/** Room for everything in an envelope but its data and the free texts. */
const FRAME = 2048;
/** Under this a log's messages are too small to chunk for. */
const SMALLEST_ROOM = 1024;
/** Bytes that one UTF-16 unit of canonical JSON can take when quoted once more. */
const GROWTH = 3;

/** Turns decided events into chained messages, from a head that runs ahead of the log. */
export class CommitWriter {
  #head: Head;
  #previousId: string | undefined;
  #timeText = '';
  #timeOf = NaN;
  readonly #source: string;

  constructor(
    readonly rules: WriterRules,
    head: Head,
  ) {
    this.#head = head;
    this.#source = `portolan/${rules.cluster}`;
  }

  /** Where the log will stand when all that was written is stored. */
  get head(): Head {
    return this.#head;
  }

  /** Moves on only if it succeeds. Throws a TypeError for events that JSON can't hold. */
  write(
    meta: CommandMeta,
    events: readonly WireEvent[],
    now: number,
    log?: LogEvent,
    topic: Topic = 'commit',
  ): Result<Written> {
    const list = canonicalJson(events);
    const data = `{"events":${list}}`;
    const envelope = this.#envelope(meta, events, now, log);
    const overhead = FRAME + GROWTH * (meta.actor.length + (meta.correlationId ?? '').length) * 2;
    const others = (meta.causationId ?? '').length + (meta.reason ?? '').length + (meta.subject ?? '').length;
    const room = this.rules.maxBytes - overhead - GROWTH * others * 2;
    if (list.length * GROWTH <= room) return ok(this.#place([], envelope, data, now, log, topic));
    if (encodeEnvelope(envelope, data).length <= this.rules.maxBytes)
      return ok(this.#place([], envelope, data, now, log, topic));
    const most = this.rules.maxCommitLength ?? 16 * 1024 * 1024;
    if (list.length > most || room < SMALLEST_ROOM)
      return err(invalid('events', undefined, 'the change is too large', `at most ${most} characters`));
    return ok(this.#chunked(envelope, list, Math.floor(room / GROWTH), now, log));
  }

  #envelope(
    meta: CommandMeta,
    events: readonly WireEvent[],
    now: number,
    log: LogEvent | undefined,
  ): CommitEnvelope {
    const opened = log?.type === 'LineageOpened' ? log.data.lineage : undefined;
    if (now !== this.#timeOf) {
      this.#timeOf = now;
      this.#timeText = new Date(now).toISOString();
    }
    const envelope: { -readonly [K in keyof CommitEnvelope]: CommitEnvelope[K] } = {
      type: COMMIT_TYPE,
      id: this.rules.ids.next(),
      source: this.#source,
      time: this.#timeText,
      subject: meta.subject ?? 'cluster',
      lineage: opened ?? this.#head.lineage!,
      revision: (opened === undefined ? this.#head.revision + 1 : 1) as Revision,
      prevhash: this.#head.hash,
      correlationid: meta.correlationId ?? meta.commandId,
      actor: meta.actor,
      commandid: meta.commandId,
      data: { events },
    };
    if (meta.causationId !== undefined) envelope.causationid = meta.causationId;
    if (meta.reason !== undefined) envelope.reason = meta.reason;
    return envelope;
  }

  #chunked(
    envelope: CommitEnvelope,
    list: string,
    size: number,
    now: number,
    log: LogEvent | undefined,
  ): Written {
    const placed: Placed[] = [];
    let head = this.#head;
    for (let at = 0, index = 0; at < list.length; at += size, index++) {
      const id = this.rules.ids.next();
      const data = { commit: envelope.id, index, part: list.slice(at, at + size) };
      const { revision } = this.#head;
      const chunk = { ...envelope, type: CHUNK_TYPE, id, revision, prevhash: head.hash, data } as const;
      const bytes = encodeEnvelope(chunk);
      const previousId = placed.at(-1)?.message.id ?? this.#previousId;
      placed.push({
        message: { id, topic: 'chunk', bytes },
        expectedLastSeq: head.seq,
        previousId,
        previousHash: head.hash,
      });
      head = { ...head, seq: head.seq + 1, hash: this.rules.hash(bytes) };
    }
    const data = { chunks: placed.length, hash: this.rules.hash(new TextEncoder().encode(list)) };
    this.#head = head;
    const final = { ...envelope, prevhash: head.hash, data };
    return this.#place(placed, final, canonicalJson(data), now, log, 'commit');
  }

  #place(
    before: readonly Placed[],
    envelope: CommitEnvelope,
    data: string,
    now: number,
    log: LogEvent | undefined,
    topic: Topic,
  ): Written {
    const bytes = encodeEnvelope(envelope, data);
    const { id, lineage, revision } = envelope;
    const { seq: expectedLastSeq, hash: previousHash } = this.#head;
    const previousId = before.at(-1)?.message.id ?? this.#previousId;
    const schemaLevel = log?.type === 'SchemaLevelRaised' ? log.data.level : this.#head.schemaLevel;
    const hash = this.rules.hash(bytes);
    this.#head = { seq: expectedLastSeq + 1, hash, lineage, revision, time: now, schemaLevel };
    this.#previousId = id;
    const placed = { message: { id, topic, bytes }, expectedLastSeq, previousId, previousHash };
    return { placed: before.length === 0 ? [placed] : [...before, placed], head: this.#head, envelope };
  }
}
