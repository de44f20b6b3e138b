import { problem, type MigrationId, type Problem, type ProblemCode } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { type Command } from '../model/commands.js';
import { type Migration, type MigrationPhase } from '../model/state.js';
import { admission } from './admission.js';
import { isComplete } from './complete.js';
import { go, happen } from './effects.js';
import { beyondLimit } from './limit.js';
import { PROPOSALS } from './machine.js';
import { companions, hostsOfOwner, onSeveralHosts } from './observe.js';
import { allowanceOf, hasEnded } from './phases.js';
import { start } from './start.js';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export function startMigration(draft: Draft, command: Of<'StartMigration'>): Problem | null {
  const { owner, destination, attempt = 1 } = command;
  const no = (code: ProblemCode, field: string, value: unknown, reason: string, expected?: string): Problem =>
    refuse(code, refusal(field, field, value, reason, expected));
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    return no('invalid', 'attempt', attempt, 'is not an attempt', '1 or more');
  }
  if (!draft.state.byOwner.has(owner)) return no('not-found', 'owner', owner, 'has no port');
  const hosts = hostsOfOwner(draft.state, owner);
  const [source, ...others] = hosts;
  if (source === undefined) return no('refused', 'owner', owner, 'has no port that is plugged in');
  if (others.length > 0) return refuse('refused', onSeveralHosts(owner, hosts));
  const ports = companions(draft, owner, source);
  const refusals = admission(draft.state, ports, source, destination, false);
  const unknown = refusals.some((r) => r.code === 'no-host');
  if (refusals.length > 0) return refuse(unknown ? 'not-found' : 'refused', ...refusals);
  const busy = beyondLimit(draft.state, source, destination);
  if (busy.length > 0) return refuse('refused', ...busy);
  const why = command.reason === undefined ? {} : { reason: command.reason };
  const requestedBy = draft.ctx.actor;
  start(draft, { origin: 'operator', owner, source, destination, ports, attempt, requestedBy, ...why });
  return null;
}

function find(draft: Draft, id: MigrationId): Migration | Problem {
  const migration = draft.state.migrations.get(id);
  return migration ?? refuse('not-found', refusal('not-found', 'migration', id, 'is not a known migration'));
}

const isProblem = (x: Migration | Problem): x is Problem => 'code' in x;

const wrongEpisode = ({ episode }: Migration, given: number): Problem =>
  refuse('fenced', refusal('fenced', 'episode', given, 'is not the current episode', `${episode}`));

/** The coordinator's proposal: made on what it had read, so it holds only if nothing moved since. */
export function advanceMigration(draft: Draft, command: Of<'AdvanceMigration'>): Problem | null {
  const migration = find(draft, command.migration);
  if (isProblem(migration)) return migration;
  const { from, to, reason } = command;
  if (migration.phase !== from) {
    return refuse('fenced', refusal('fenced', 'from', from, 'is not the current phase', migration.phase));
  }
  if (migration.episode !== command.episode) return wrongEpisode(migration, command.episode);
  if (!PROPOSALS[from].includes(to)) {
    const allowed = PROPOSALS[from].join(' or ') || 'nothing: it has ended';
    return refuse('refused', refusal('no-way', 'to', to, `does not follow ${from}`, allowed));
  }
  const unmet = condition(draft, migration, to, command.evidence);
  if (unmet !== null) return unmet;
  go(draft, migration.id, to, reason);
  return null;
}

/** What must be true for a proposed phase; null: it is, or nothing must. */
function condition(
  draft: Draft,
  m: Migration,
  to: MigrationPhase,
  evidence: Readonly<Record<string, number>>,
): Problem | null {
  if (to === 'prepared') return realised(m, evidence);
  const wait = (reason: string): Problem => refuse('refused', refusal('too-early', 'to', to, reason));
  if (to === 'switched') return wait('waits for the first frame of every port at the destination');
  if (to === 'completed' && !isComplete(draft.state, m)) {
    return wait("waits for the source's final counters and the hypervisor's word");
  }
  if (to === 'aborted') return wait("waits for the hypervisor's word on which side the guest runs");
  if (to === 'aborting' && m.origin === 'observed') return wait('is driven by somebody else');
  return null;
}

/** Destination: the policy is in place. Source, when we drive: its trap is armed. Both before any guest frame. */
function realised(m: Migration, evidence: Readonly<Record<string, number>>): Problem | null {
  const granted = m.history[0]?.revision ?? 0;
  const hosts = m.origin === 'operator' ? [m.destination, m.source] : [m.destination];
  const missing = hosts.filter((h) => !((evidence[h] ?? -1) >= granted));
  if (missing.length === 0) return null;
  const refusals = missing.map((h) =>
    refusal('not-realised', `evidence.${h}`, evidence[h], 'has not realised it', `${granted} or later`),
  );
  return refuse('refused', ...refusals);
}

/** Asked again while it aborts, or when it has: it is so already. */
export function abortMigration(draft: Draft, command: Of<'AbortMigration'>): Problem | null {
  const migration = find(draft, command.migration);
  if (isProblem(migration)) return migration;
  if (migration.phase === 'aborted') return null;
  const refused = happen(draft, migration.id, 'abort', { reason: command.reason });
  if (refused === null) return null;
  return refuse('refused', refusal('no-abort', 'migration', migration.id, refused));
}

const OUTSTANDING = {
  unknown: 'and the hypervisor does not know what became of the guest',
  waited: 'with final counters or the word of the hypervisor outstanding',
};

export function timeOutMigration(draft: Draft, command: Of<'TimeOutMigration'>): Problem | null {
  const m = find(draft, command.migration);
  if (isProblem(m)) return m;
  if (hasEnded(m.phase) || m.episode !== command.episode) return wrongEpisode(m, command.episode);
  const allowance = allowanceOf(m);
  if (allowance === null)
    return refuse('refused', refusal('too-early', 'migration', m.id, 'has no deadline now'));
  // Not for good: under the id of this time-out nothing else could ever be answered.
  const left = allowance - (command.stoodMs ?? 0);
  if (left > 0)
    return problem('unavailable', `migration ${m.id} has ${Math.ceil(left)} ms left in ${m.phase}`);
  const reason =
    m.phase === 'switched'
      ? `the deadline passed ${OUTSTANDING[m.outcome === 'unknown' ? 'unknown' : 'waited']}`
      : `timed out in ${m.phase}`;
  const refused = happen(draft, m.id, 'timeout', { reason });
  return refused === null ? null : refuse('refused', refusal('no-timeout', 'migration', m.id, refused));
}
