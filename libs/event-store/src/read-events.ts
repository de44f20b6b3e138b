import { err, ok, problem, type Result } from '#kernel';
import { eventsOf, sortEvents, type ReadRules } from './chain-reader.js';
import { type CommitLog, type StoredMessage } from './commit-log.js';
import { decodeEnvelope } from './envelope-decode.js';
import { COMMIT_TYPE, type ChunkEnvelope } from './envelope.js';

/** The domain events of the commit at a position, without a replica. Throws ProblemError like `read`. */
export async function readEventsAt<Event>(
  log: CommitLog,
  seq: number,
  rules: ReadRules<Event>,
): Promise<Result<readonly Event[]>> {
  const [message] = await take(log, seq, 1);
  if (message === undefined) return err(problem('internal', `message ${seq} is missing`));
  const decoded = decodeEnvelope(message.bytes);
  if (!decoded.ok) return decoded;
  const envelope = decoded.value;
  if (envelope.type !== COMMIT_TYPE) return err(problem('internal', `message ${seq} is not a commit`));
  const staged = new Map<string, string[]>();
  if ('chunks' in envelope.data) {
    const { chunks } = envelope.data;
    const parts: string[] = [];
    for (const { bytes } of await take(log, seq - chunks, chunks)) {
      const chunk = decodeEnvelope(bytes);
      if (!chunk.ok) return chunk;
      parts.push((chunk.value as ChunkEnvelope).data.part);
    }
    staged.set(envelope.id, parts);
  }
  const wires = eventsOf(envelope, staged, rules.hash);
  if (!wires.ok) return wires;
  const sorted = sortEvents(wires.value, rules);
  return sorted.ok ? ok(sorted.value.domain) : sorted;
}

async function take(log: CommitLog, fromSeq: number, count: number): Promise<StoredMessage[]> {
  const taken: StoredMessage[] = [];
  for await (const batch of log.read(fromSeq)) {
    for (const message of batch) {
      taken.push(message);
      if (taken.length === count) return taken;
    }
  }
  return taken;
}
