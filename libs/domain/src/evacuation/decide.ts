import { type EvacuationId, type HostName, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { badReason } from '../ledger/reason.js';
import { specOfHost } from '../host/spec.js';
import { happen } from '../migration/effects.js';
import { start } from '../migration/start.js';
import { type Command } from '../model/commands.js';
import { type Evacuation } from '../model/state.js';
import { isOver, runningEvacuations } from './guests.js';
import { nextStep, type EvacuationStep } from './plan.js';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export const USUAL_ATTEMPTS = 3;
const MOST_ATTEMPTS = 10;
const MOST_PARALLEL = 1000;
/** Steps of one decision: finding out that a guest can't go anywhere asks every host. */
const MOST_STEPS = 16;

/** Puts the host into maintenance, too, in the same commit: what has left must not be sent back. */
export function startEvacuation(draft: Draft, command: Of<'StartEvacuation'>): Problem | null {
  const { host: name, to = [], parallel = null, attempts = USUAL_ATTEMPTS, reason } = command;
  const host = draft.state.hosts.get(name);
  if (host === undefined) return refuse('not-found', refusal('no-host', 'host', name, 'is not a known host'));
  const bad =
    wrongNumber('parallel', parallel, MOST_PARALLEL) ??
    wrongNumber('attempts', attempts, MOST_ATTEMPTS) ??
    (reason === undefined ? null : badReason(reason)) ??
    wrongDestination(draft, name, to);
  if (bad !== null) return bad;
  const running = runningEvacuations(draft.state).find((e) => e.host === name);
  if (running !== undefined) {
    const why = `is being evacuated already (${running.id})`;
    return refuse('refused', refusal('running', 'host', name, why, 'one evacuation of a host at a time'));
  }
  if (!host.maintenance) {
    draft.emit({ type: 'HostDefined', name, spec: { ...specOfHost(host), maintenance: true } });
  }
  const id = `e${draft.state.nextEvacuation}` as EvacuationId;
  const asked = { host: name, to: [...new Set(to)], parallel, attempts, reason: reason ?? null };
  draft.emit({ type: 'EvacuationStarted', evacuation: { id, ...asked, requestedBy: draft.ctx.actor } });
  return null;
}

function wrongNumber(field: string, value: number | null, most: number): Problem | null {
  if (value === null || (Number.isSafeInteger(value) && value >= 1 && value <= most)) return null;
  return refuse('invalid', refusal(field, field, value, 'is out of bounds', `1 to ${most}`));
}

function wrongDestination({ state }: Draft, host: HostName, to: readonly HostName[]): Problem | null {
  for (const [i, name] of to.entries()) {
    const no = (reason: string): Problem =>
      refuse('refused', refusal('destination', `to[${i}]`, name, reason));
    const there = state.hosts.get(name);
    if (there === undefined) {
      return refuse('not-found', refusal('no-host', `to[${i}]`, name, 'is not a known host'));
    }
    if (name === host) return no('is the host that is evacuated');
    if (there.maintenance) return no('is in maintenance');
  }
  return null;
}

/** Does what the evacuation calls for now. Nothing at all is no answer: the same id could never bring another. */
export function advanceEvacuation(draft: Draft, command: Of<'AdvanceEvacuation'>): Problem | null {
  const { evacuation: id, episode, silent = [] } = command;
  const before = draft.state.evacuations.get(id);
  if (before === undefined) return unknown(id);
  if (isOver(before) || before.episode !== episode) {
    const now = isOver(before) ? `none: it is ${before.phase}` : `${before.episode}`;
    return refuse('fenced', refusal('fenced', 'episode', episode, 'is not the current episode', now));
  }
  const unheard = new Set(silent);
  for (let n = 0; n < MOST_STEPS; n++) {
    const step = nextStep(draft.state, draft.state.evacuations.get(id) ?? before, unheard);
    if (step === null) break;
    take(draft, before, step);
  }
  if (draft.events.length > 0) return null;
  return refuse(
    'unavailable',
    refusal('wait', 'evacuation', id, 'has nothing to do before a migration ends'),
  );
}

function take(draft: Draft, { id, host, requestedBy }: Evacuation, step: EvacuationStep): void {
  if (step.do === 'send') {
    const { guest, destination, reason } = step;
    const what = {
      origin: 'operator',
      owner: guest.owner,
      source: host,
      destination,
      ports: guest.ports,
    } as const;
    start(draft, { ...what, attempt: 1, requestedBy, reason, evacuation: id });
  } else if (step.do === 'refuse') {
    const { owner, refusals } = step;
    draft.emit({ type: 'EvacuationRefused', evacuation: id, owner, refusals });
  } else {
    end(draft, id, step.to, step.reason);
  }
}

const end = (
  draft: Draft,
  evacuation: EvacuationId,
  to: Extract<EvacuationStep, { do: 'end' }>['to'],
  reason?: string,
): void =>
  draft.emit({ type: 'EvacuationAdvanced', evacuation, to, ...(reason === undefined ? {} : { reason }) });

/** Asked again: it is so already, but for guests on their way that are called back only now. */
export function abortEvacuation(draft: Draft, command: Of<'AbortEvacuation'>): Problem | null {
  const { evacuation: id, reason, abortRunning = false } = command;
  const bad = badReason(reason);
  if (bad !== null) return bad;
  const e = draft.state.evacuations.get(id);
  if (e === undefined) return unknown(id);
  if (e.phase === 'aborted') return null;
  if (isOver(e)) {
    return refuse('refused', refusal('over', 'evacuation', id, `is over: it is ${e.phase}`));
  }
  if (e.phase === 'running') end(draft, id, 'aborting', reason);
  const running = e.guests.flatMap((g) => g.tries).filter((t) => t.outcome === null);
  // One that has switched already is there, and says no: it runs on to its end.
  if (abortRunning) for (const { migration } of running) happen(draft, migration, 'abort', { reason });
  const now = draft.state.evacuations.get(id);
  if (now !== undefined && nextStep(draft.state, now)?.do === 'end') end(draft, id, 'aborted');
  return null;
}

const unknown = (id: string): Problem =>
  refuse('not-found', refusal('no-evacuation', 'evacuation', id, 'is not a known evacuation'));
