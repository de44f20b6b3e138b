import { err, invalid, ok, problem, type IdGenerator, type Result, type Revision } from '#kernel';
import { catchUp, repudiate, startReplica, type CommitLog, type Poison } from '#event-store';
import { clusterRules } from '#runtime';

export interface RepudiationRequest {
  /** As readiness, status and this command without it say it: names the very bytes. */
  readonly hash?: string | undefined;
  readonly reason?: string | undefined;
}

export interface RepudiationParts {
  readonly log: CommitLog;
  readonly ids: IdGenerator;
  readonly cluster: string;
  readonly actor: string;
  /** ms since the epoch. */
  readonly now: number;
}

export type RepudiationOutcome =
  | { readonly kind: 'readable'; readonly revision: Revision }
  | { readonly kind: 'found'; readonly poison: Poison }
  | { readonly kind: 'repudiated'; readonly poison: Poison; readonly revision: Revision };

/**
 * Finds the commit that nobody can read and, if its hash and a reason are given, tells all readers to pass it by. Only
 * that commit: what can be read is undone by further commits, never by leaving it out. Who reads the outcome `found`
 * has what to ask for next.
 */
export async function repudiation(
  request: RepudiationRequest,
  parts: RepudiationParts,
): Promise<Result<RepudiationOutcome>> {
  const { log } = parts;
  const read = await catchUp(log, await startReplica(log, clusterRules));
  const { hash, reason } = request;
  if (read.ok) {
    const { revision } = read.value.head;
    if (hash === undefined) return ok({ kind: 'readable', revision });
    return err(problem('refused', `nothing to repudiate: the log can be read up to revision ${revision}`));
  }
  const poison = read.error;
  if (hash === undefined) return ok({ kind: 'found', poison });
  if (hash !== poison.hash)
    return err(invalid('hash', hash, 'is not that of the commit that can’t be read', poison.hash));
  if (reason === undefined || reason.trim() === '' || reason.length > 500)
    return err(
      invalid('reason', reason, 'is missing or too long', 'why it may be left out, 1 to 500 characters'),
    );
  const target = { revision: poison.revision, hash, reason };
  const done = await repudiate(target, { ...parts, hash: clusterRules.hash });
  return done.ok ? ok({ kind: 'repudiated', poison, revision: done.value.revision }) : done;
}
