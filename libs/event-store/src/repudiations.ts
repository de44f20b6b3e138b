import { type Revision } from '#kernel';
import { type CommitLog } from './commit-log.js';
import { decodeEnvelope } from './envelope-decode.js';
import { checkLogEvent, type Repudiated } from './log-events.js';

/**
 * The repudiations in one message. One that can't be read itself is passed over here: it stops the replica when the
 * reading comes to it.
 */
export function collectRepudiations(bytes: Uint8Array, into: Map<string, Revision>): void {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok || !('events' in decoded.value.data)) return;
  for (const event of decoded.value.data.events) {
    if (event.type !== 'Repudiated' || checkLogEvent(event) !== undefined) continue;
    const { hash, revision } = event.data as Repudiated;
    into.set(hash, revision);
  }
}

/**
 * The repudiations of the whole log: read before anything else, as they come after what they are about. Those that were
 * archived, out of reach, are about what was archived before them.
 */
export async function loadRepudiations(log: CommitLog): Promise<Map<string, Revision>> {
  const found = new Map<string, Revision>();
  const { first } = await log.begins();
  for await (const batch of log.read(first, 'repudiation')) {
    for (const { bytes } of batch) collectRepudiations(bytes, found);
  }
  return found;
}
