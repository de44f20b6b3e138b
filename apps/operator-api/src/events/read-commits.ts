import { ok, problem, ProblemError, type Lineage, type Result } from '#kernel';
import { type DomainEvent } from '#domain';
import {
  ArchivedError,
  COMMIT_TYPE,
  decodeEnvelope,
  type Commit,
  type Envelope,
  type LogBegin,
  type StoredMessage,
  type WireEvent,
} from '#event-store';
import { type ClusterRules, type Log } from '../ports.js';

type ClusterCommit = Commit<DomainEvent>;

/** Events of the log itself are for its readers, not for operators. */
const OF_THE_LOG: ReadonlySet<string> = new Set([
  'LineageOpened',
  'Repudiated',
  'ChunksAbandoned',
  'SchemaLevelRaised',
]);

/**
 * Commits as they stand in the log, from a position on, without folding them. Chunked ones come whole when their
 * chunks lie in what is read. What can't be read is left out: the follower is who stops at it and says so.
 */
export async function* readCommits(
  log: Log,
  rules: ClusterRules,
  fromSeq: number,
): AsyncGenerator<ClusterCommit> {
  const parts = new Map<string, string[]>();
  for await (const batch of log.read(Math.max(1, fromSeq))) {
    for (const message of batch) {
      const commit = commitOf(message, parts, rules);
      if (commit !== undefined) yield commit;
    }
  }
}

function commitOf(
  message: StoredMessage,
  parts: Map<string, string[]>,
  rules: ClusterRules,
): ClusterCommit | undefined {
  const decoded = decodeEnvelope(message.bytes);
  if (!decoded.ok) return undefined;
  const e = decoded.value;
  if (e.type !== COMMIT_TYPE) {
    const staged = parts.get(e.data.commit) ?? [];
    parts.set(e.data.commit, [...staged, e.data.part]);
    return undefined;
  }
  const events = eventsOf(e, parts, rules);
  parts.delete(e.id);
  if (!events.ok) return undefined;
  return {
    id: e.id,
    lineage: e.lineage,
    revision: e.revision,
    time: e.time,
    subject: e.subject,
    actor: e.actor,
    commandId: e.commandid,
    correlationId: e.correlationid,
    ...(e.causationid === undefined ? {} : { causationId: e.causationid }),
    ...(e.reason === undefined ? {} : { reason: e.reason }),
    hash: rules.hash(message.bytes),
    events: events.value,
  };
}

function eventsOf(
  e: Extract<Envelope, { type: typeof COMMIT_TYPE }>,
  parts: ReadonlyMap<string, readonly string[]>,
  rules: ClusterRules,
): Result<readonly DomainEvent[]> {
  const staged = parts.get(e.id)?.join('') ?? '[]';
  const wires = 'events' in e.data ? e.data.events : (JSON.parse(staged) as readonly WireEvent[]);
  const events: DomainEvent[] = [];
  for (const wire of wires) {
    if (OF_THE_LOG.has(wire.type)) continue;
    const newest = rules.upcasters.upcast(wire);
    if (!newest.ok) return newest;
    const event = rules.codec.fromWire(newest.value);
    if (!event.ok) return event;
    events.push(event.value);
  }
  return ok(events);
}

/** The position of the first message of a lineage at or after a revision; after the last one when there is none. */
export async function findRevision(log: Log, lineage: Lineage, revision: number): Promise<number> {
  const begin = await log.begins();
  let low = begin.first;
  let high = (await log.last()) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const at = await peek(log, middle);
    if (at.lineage === lineage && at.revision >= revision) high = middle;
    else low = middle + 1;
  }
  if (low === begin.first && low > 1) await checkReaches(log, lineage, revision, begin);
  return low;
}

/** What was asked for may stand before what is held: that is said, not passed over. */
async function checkReaches(log: Log, lineage: Lineage, revision: number, begin: LogBegin): Promise<void> {
  const at = await peek(log, begin.first);
  if (at.lineage !== lineage || at.revision > revision)
    throw new ArchivedError(`revision ${revision} of lineage ${lineage}`, begin);
}

/** What the message at a position says of itself; unreadable ones answer as the next that can be read. */
async function peek(log: Log, seq: number): Promise<{ lineage: string; revision: number }> {
  for await (const batch of log.read(seq)) {
    for (const message of batch) {
      const decoded = decodeEnvelope(message.bytes);
      if (decoded.ok) return decoded.value;
    }
  }
  throw new ProblemError(problem('internal', `no message at or after ${seq} can be read`));
}
