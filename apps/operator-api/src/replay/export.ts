import { invalid, ProblemError } from '#kernel';
import { decodeEnvelope } from '#event-store';
import { findRevision } from '../events/read-commits.js';
import { type ClusterFollower, type Log } from '../ports.js';

const NEWLINE = Buffer.from('\n');

/**
 * The log's messages as they are stored, a line each, so that hashes still hold. Without `from` from the very first,
 * earlier lineages too: that is what a replay needs.
 */
export async function* exportLog(
  log: Log,
  follower: ClusterFollower,
  range: { readonly from?: number; readonly to?: number },
): AsyncGenerator<Uint8Array> {
  const { from, to } = range;
  if (from !== undefined && to !== undefined && from > to) {
    throw new ProblemError(invalid('to', to, 'is before from', `${from} or more`));
  }
  const { lineage } = follower;
  const start = from === undefined || lineage === undefined ? 1 : await findRevision(log, lineage, from);
  for await (const batch of log.read(start)) {
    const lines: Uint8Array[] = [];
    for (const { bytes } of batch) {
      if (to !== undefined && isAfter(bytes, lineage, to)) {
        if (lines.length > 0) yield Buffer.concat(lines);
        return;
      }
      lines.push(bytes, NEWLINE);
    }
    if (lines.length > 0) yield Buffer.concat(lines);
  }
}

function isAfter(bytes: Uint8Array, lineage: string | undefined, to: number): boolean {
  const decoded = decodeEnvelope(bytes);
  return decoded.ok && decoded.value.lineage === lineage && decoded.value.revision > to;
}
