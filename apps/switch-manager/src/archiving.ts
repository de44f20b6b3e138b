import { err, invalid, ok, type Clock, type Result } from '#kernel';
import {
  DAY_MS,
  replayAll,
  seal,
  stateDigest,
  trim,
  type Archive,
  type Segment,
  type TrimmableLog,
} from '#event-store';
import { clusterRules, snapshotRules, stateCodec } from '#runtime';

export interface ArchivingParts {
  readonly log: TrimmableLog;
  readonly archive: Archive;
  readonly clock: Pick<Clock, 'now'>;
  readonly actor: string;
}

/** What may be asked. Days: how old a commit is at least that is sealed. */
export type ArchivingRequest =
  | { readonly do: 'list' | 'trim' | 'verify' }
  | { readonly do: 'seal'; readonly days: number; readonly reason: string };

export interface ArchivingOutcome {
  readonly segments: readonly Segment[];
  /** First message that the stream holds itself. */
  readonly first: number;
  readonly last: number;
  /** Messages taken out by this. */
  readonly taken?: number;
  /** Of the state that archive and stream come to together. */
  readonly digest?: string;
}

/**
 * Does what an operator asks of the archive. A day stays in the stream at least: so long is every command's answer
 * promised, and the events that belong to it are read there.
 */
export async function archiving(
  request: ArchivingRequest,
  { log, archive, clock, actor }: ArchivingParts,
): Promise<Result<ArchivingOutcome>> {
  let more: Pick<ArchivingOutcome, 'taken' | 'digest'> = {};
  if (request.do === 'seal') {
    const { days, reason } = request;
    if (!(days >= 1))
      return err(invalid('days', days, 'is too short: commands are answered for a day', '1 or more'));
    const before = clock.now() - days * DAY_MS;
    const how = { rules: clusterRules, snapshots: snapshotRules, before, clock, by: actor, reason };
    const sealed = await seal({ log, archive, ...how });
    if (!sealed.ok) return sealed;
  } else if (request.do === 'trim') {
    const trimmed = await trim(log, archive, snapshotRules);
    if (!trimmed.ok) return trimmed;
    more = { taken: trimmed.value.messages };
  } else if (request.do === 'verify') {
    for (const segment of await archive.segments()) {
      const verified = await archive.verify(segment, snapshotRules);
      if (!verified.ok) return verified;
    }
    const all = await replayAll(log, archive, clusterRules);
    if (!all.ok) return all;
    more = { digest: stateDigest(all.value.state, stateCodec, clusterRules.hash) };
  }
  const [segments, { first }, last] = await Promise.all([archive.segments(), log.begins(), log.last()]);
  return ok({ segments, first, last, ...more });
}
