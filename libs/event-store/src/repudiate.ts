import {
  err,
  invalid,
  ok,
  problem,
  type IdGenerator,
  type Lineage,
  type Result,
  type Revision,
} from '#kernel';
import { EMPTY_HEAD, type Head } from './chain-reader.js';
import { type CommitLog, type StoredMessage } from './commit-log.js';
import { CommitWriter } from './commit-writer.js';
import { decodeEnvelope } from './envelope-decode.js';
import { type Hash } from './envelope.js';
import { logEvent, type LogEvent, type Repudiated } from './log-events.js';

export interface RepudiateOptions {
  readonly log: CommitLog;
  readonly hash: Hash;
  readonly ids: IdGenerator;
  readonly cluster: string;
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Appends a repudiation without a state: for when no leader can be, as none can read the log. A leader that can
 * is fenced by it, and starts again from the log without that message. Refuses a hash that the log does not hold.
 */
export async function repudiate(
  target: Repudiated,
  options: RepudiateOptions,
): Promise<Result<{ readonly revision: Revision }>> {
  const { log, hash, ids, cluster, actor, now } = options;
  const tail = await findTail(log, target, hash);
  if (!tail.ok) return tail;
  const writer = new CommitWriter({ hash, ids, cluster, maxBytes: log.maxBytes }, tail.value);
  const event: LogEvent = { type: 'Repudiated', data: target };
  const meta = { commandId: ids.next(), actor, reason: target.reason };
  const written = writer.write(meta, [logEvent(event)], Math.max(now, tail.value.time), event, 'repudiation');
  if (!written.ok) return written;
  const { message, expectedLastSeq } = written.value.placed[0]!;
  const stored = await log.append(message, expectedLastSeq);
  if (stored.ok) return ok({ revision: written.value.head.revision });
  return err(problem(stored.error === 'unknown' ? 'unknown' : 'unavailable', `not stored: ${stored.error}`));
}

/** Where the log ends, as far as can be said without reading its events, and whether it holds the target. */
async function findTail(log: CommitLog, target: Repudiated, hash: Hash): Promise<Result<Head>> {
  let head: Head = EMPTY_HEAD;
  let found = false;
  for await (const batch of log.read(1)) {
    for (const message of batch) {
      const own = hash(message.bytes);
      const hit = own === target.hash;
      found ||= hit;
      head = hit
        ? { ...head, seq: message.seq, hash: own, revision: target.revision }
        : next(head, message, own);
    }
  }
  if (!found) return err(invalid('hash', target.hash, 'is not that of a message in the log'));
  if (head.lineage === undefined) return err(problem('refused', 'the log has no readable commit'));
  return ok(head);
}

function next(head: Head, message: StoredMessage, hash: string): Head {
  const decoded = decodeEnvelope(message.bytes);
  if (!decoded.ok) return { ...head, seq: message.seq, hash, revision: (head.revision + 1) as Revision };
  const { lineage, revision, time } = decoded.value;
  return { ...head, seq: message.seq, hash, lineage: lineage as Lineage, revision, time: Date.parse(time) };
}
