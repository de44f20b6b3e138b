import { type WaitOutcome } from '#contracts';
import { type Realised } from '#contracts/http';
import { iso } from '../views/time.js';

/** How a wait ended, in words for those hosts that are not there. */
export function realisedView(outcome: WaitOutcome, elapsedMs: number): Realised {
  return {
    lineage: outcome.lineage,
    revision: outcome.revision,
    realised: outcome.done,
    hosts: outcome.realised.length,
    of: outcome.targets,
    elapsedMs: Math.max(0, Math.round(elapsedMs * 10) / 10),
    waiting: outcome.waiting.map((w) => ({ host: w.host, realised: w.realised, reason: reasonOf(w) })),
    exceptions: outcome.waiting.flatMap((w) => w.exceptions.map((e) => ({ host: w.host, ...e }))),
  };
}

function reasonOf(w: WaitOutcome['waiting'][number]): string {
  const seen = w.lastSeen === null ? 'never heard of' : `silent since ${iso(w.lastSeen)}`;
  if (w.reason === 'down') return `${seen}; it takes the revision up when it is back`;
  return w.reason === 'exception' ? 'could not carry all of it out' : 'has not carried it out yet';
}
