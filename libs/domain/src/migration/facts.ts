import { type Epoch, type HostName, type MigrationId, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refusal, type Refuse } from '../decider/refusal.js';
import { fenced } from '../ledger/facts.js';
import { type Fact } from '../model/commands.js';
import { type HypervisorOutcome, type Migration, type Standby, type State } from '../model/state.js';
import { frame, happen, migrationOn } from './effects.js';
import { type Input, reactionTo } from './machine.js';
import { hasEnded } from './phases.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

/** The standby gate opened: the guest's first frame was seen. */
export function activatedFact(draft: Draft, host: HostName, fact: Of<'PortActivated'>, refuse: Refuse): void {
  const standby = standbyOf(draft, host, fact, refuse);
  const likely = withoutFuture(draft, fact, refuse);
  if (standby === null) return noteFrame(draft, host, likely);
  draft.emit({ ...likely, host });
  frame(draft, standby.migration);
}

/** Nobody can have carried out what the log does not hold yet: that the guest says so is left out, all else stands. */
function withoutFuture(draft: Draft, fact: Of<'PortActivated'>, refuse: Refuse): Of<'PortActivated'> {
  const { carried, ...rest } = fact;
  const { revision } = draft.before;
  if (carried === undefined || carried <= revision) return fact;
  refuse(refusal('ahead', 'carried', carried, 'is ahead of the log', `at most ${revision}`));
  return rest;
}

/** Migrations looked through for one that is over: a host that says it again and again must not cost the more. */
const RECENT = 256;

/** What brought the port here: it may be over, as those who let a guest go and who take it in are heard one by one. */
function migrationTo(state: State, host: HostName, port: PortId, epoch: Epoch): Migration | undefined {
  for (let n = 1; n <= RECENT; n++) {
    const m = state.migrations.get(`m${state.nextMigration - n}` as MigrationId);
    if (m?.destination === host && m.ports.some((p) => p.port === port && p.epoch === epoch)) return m;
  }
  return undefined;
}

/** It is active there already, by the hypervisor's word: that its host saw it happen is news all the same, once. */
function noteFrame(draft: Draft, host: HostName, fact: Of<'PortActivated'>): void {
  const { port, epoch, at, realised, carried } = fact;
  if (at === undefined) return;
  const migration = migrationTo(draft.state, host, port, epoch);
  const moved = migration?.ports.find((p) => p.port === port);
  if (migration === undefined || moved?.activated !== true || moved.activatedAt !== undefined) return;
  const stood = {
    ...(realised === undefined ? {} : { realised }),
    ...(carried === undefined ? {} : { carried }),
  };
  draft.emit({ type: 'FirstFrameNoted', migration: migration.id, port, host, epoch, at, ...stood });
}

/** The destination could let the guest in. What it said before is no news. */
export function readyFact(draft: Draft, host: HostName, fact: Of<'StandbyReady'>, refuse: Refuse): void {
  const { port, epoch, ready } = fact;
  if (standbyOf(draft, host, fact, refuse) === null) return;
  const known = migrationOn(draft, port)?.ports.find((p) => p.port === port);
  const back = ready && known?.plugged === false ? { plugged: true } : {};
  if ((known?.ready ?? false) !== ready)
    draft.emit({ type: 'StandbyReady', port, host, epoch, ready, ...back });
}

/** Only the standby itself, at its epoch, may speak of it; null: it may not, or what is active now has nothing to add. */
function standbyOf(
  draft: Draft,
  host: HostName,
  { port: id, epoch }: { readonly port: PortId; readonly epoch: Epoch },
  refuse: Refuse,
): Standby | null {
  const port = draft.state.ports.get(id);
  if (port?.active?.host === host && port.active.epoch === epoch) return null;
  const { standby } = port ?? {};
  if (standby?.host === host && standby.epoch === epoch) return standby;
  const reason = `is not an epoch at which ${host} is the standby of port ${id}`;
  refuse(fenced(port, host, id, epoch) ?? refusal('fenced', 'epoch', epoch, reason));
  return null;
}

const INPUT_OF: Readonly<Record<HypervisorOutcome, Input>> = {
  started: 'started',
  completed: 'completed',
  failed: 'failed',
  aborted: 'failed',
  unknown: 'unknown',
};

/** The hypervisor's word, from one of the two hosts and on this attempt. The same word again is hardly news. */
export function hypervisorFact(
  draft: Draft,
  host: HostName,
  fact: Of<'HypervisorMigration'>,
  refuse: Refuse,
): void {
  const { migration: id, attempt, outcome, reason, pauseMs } = fact;
  const refused = judge(draft, host, fact);
  if (refused === 'known') return notePause(draft, host, fact);
  if (refused !== null) return refuse(refused);
  const why = reason === undefined ? {} : { reason };
  const mark = draft.events.length;
  const paused = pauseMs === undefined ? {} : { pauseMs };
  draft.emit({ type: 'HypervisorReported', migration: id, attempt, host, outcome, ...why, ...paused });
  const late = happen(draft, id, INPUT_OF[outcome], why);
  if (late === null) return;
  // Only a refused "late" comes here: the word itself stays recorded, that it moved nothing is recorded with it.
  if (draft.events.length === mark + 1) refuse(refusal('too-late', 'outcome', outcome, `${id} ${late}`));
}

/** The other end's hypervisor said it first, and did not know for how long the guest stood still. */
function notePause(
  draft: Draft,
  host: HostName,
  { migration: id, attempt, outcome, pauseMs }: Of<'HypervisorMigration'>,
): void {
  if (pauseMs === undefined || draft.state.migrations.get(id)?.pauseMs !== undefined) return;
  draft.emit({ type: 'HypervisorReported', migration: id, attempt, host, outcome, pauseMs });
}

function judge(draft: Draft, host: HostName, fact: Of<'HypervisorMigration'>): Refusal | 'known' | null {
  const migration = draft.state.migrations.get(fact.migration);
  if (migration === undefined) {
    return refusal('no-migration', 'migration', fact.migration, 'is not a known migration');
  }
  if (host !== migration.source && host !== migration.destination) {
    return refusal('fenced', 'migration', migration.id, `is not a migration of ${host}`);
  }
  for (const field of ['owner', 'destination'] as const) {
    const said = fact[field];
    if (said === undefined || said === migration[field]) continue;
    const why = `is another move's, which the log lost and ${migration.id} is not`;
    return refusal('fenced', field, said, why, migration[field]);
  }
  if (fact.attempt !== migration.attempt) {
    return refusal('fenced', 'attempt', fact.attempt, 'is not the attempt that runs', `${migration.attempt}`);
  }
  if (fact.outcome === migration.outcome) return 'known';
  if (hasEnded(migration.phase)) {
    return refusal('fenced', 'migration', migration.id, `has ended as ${migration.phase}`);
  }
  const reaction = reactionTo(migration, INPUT_OF[fact.outcome]);
  if (reaction.do === 'refuse') return refusal('refused', 'outcome', fact.outcome, reaction.reason);
  return null;
}
