import { assertNever, type HostName, type MigrationId, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type Migration, type MigrationPhase } from '../model/state.js';
import { bind, livePort, revokeStandby } from '../port/bind.js';
import { isComplete } from './complete.js';
import { type Input, reactionTo } from './machine.js';
import { deadlineOf } from './phases.js';

export function migrationOf(draft: Draft, id: MigrationId): Migration {
  const migration = draft.state.migrations.get(id);
  if (migration === undefined) throw new Error(`migration ${id} is in an index but not in the state`);
  return migration;
}

/** The migration that moves this port now. */
export function migrationOn(draft: Draft, port: PortId): Migration | undefined {
  const id = draft.state.moving.get(port);
  return id === undefined ? undefined : migrationOf(draft, id);
}

export function go(draft: Draft, id: MigrationId, to: MigrationPhase, reason?: string): void {
  const { phase: from, episode } = migrationOf(draft, id);
  draft.emit({
    type: 'MigrationAdvanced',
    migration: id,
    from,
    to,
    episode: episode + 1,
    deadline: deadlineOf(to, draft.ctx.now),
    ...(reason === undefined ? {} : { reason }),
  });
}

/** Carries out what the table says. A reason for the refusal, or null. */
export function happen(
  draft: Draft,
  id: MigrationId,
  input: Input,
  why?: { readonly port?: PortId; readonly reason?: string },
): string | null {
  const reaction = reactionTo(migrationOf(draft, id), input);
  const reason = why?.reason;
  switch (reaction.do) {
    case 'stay':
      break;
    case 'go':
      go(draft, id, reaction.to, reason);
      if (reaction.to === 'unknown') return recall(draft, id);
      break;
    case 'activate':
      for (const p of migrationOf(draft, id).ports) activate(draft, id, p.port);
      go(draft, id, 'switched', reason);
      break;
    case 'activate-one':
      if (why?.port !== undefined && activate(draft, id, why.port)) frame(draft, id, reason);
      break;
    case 'late':
      if (!sourceStillThere(draft, id)) return 'has switched, and the source has let go of it';
      goBack(draft, id, reaction.to, reason);
      break;
    case 'back':
      goBack(draft, id, reaction.to, reason);
      break;
    case 'refuse':
      return reaction.reason;
    default:
      assertNever(reaction);
  }
  complete(draft, id);
  return null;
}

/** The destination told before that the guest is not there: what counts in *unknown* counts then, too. */
function recall(draft: Draft, id: MigrationId): string | null {
  const migration = migrationOf(draft, id);
  if (!hasLeftDestination(migration)) return arrive(draft, id);
  return happen(draft, id, 'destination-gone', { reason: leftDestination(migration) });
}

/** A part of the guest is seen at the destination, and nothing of it is left at the source: all of it has arrived. */
export function arrive(draft: Draft, id: MigrationId): string | null {
  const { ports, source, destination } = migrationOf(draft, id);
  const isThere = ({ port, epoch }: Migration['ports'][number]): boolean => {
    const { active } = livePort(draft, port);
    return active?.host === destination && active.epoch === epoch;
  };
  if (!ports.some(isThere)) return null;
  if (ports.some((p) => !p.activated && livePort(draft, p.port).active !== null)) return null;
  return happen(draft, id, 'arrived', { reason: `its interfaces left the source ${source}` });
}

/** Every interface of the guest left the destination, and none is back. */
export const hasLeftDestination = ({ ports }: Migration): boolean => ports.every((p) => p.plugged === false);

export const leftDestination = ({ destination }: Migration): string =>
  `its interface left the destination ${destination}`;

/** A port has just activated: the guest runs at the destination, or begins to. */
export function frame(draft: Draft, id: MigrationId, reason?: string): void {
  const all = migrationOf(draft, id).ports.every((p) => p.activated);
  happen(draft, id, all ? 'last-frame' : 'some-frame', reason === undefined ? {} : { reason });
  if (!all) arrive(draft, id);
}

/** False when the port is not waiting at the destination for this migration. */
function activate(draft: Draft, id: MigrationId, port: PortId): boolean {
  const { standby } = livePort(draft, port);
  if (standby?.migration !== id) return false;
  draft.emit({ type: 'PortActivated', port, host: standby.host, epoch: standby.epoch });
  return true;
}

function goBack(draft: Draft, id: MigrationId, to: 'aborted' | 'failed', reason: string | undefined): void {
  const { ports, source } = migrationOf(draft, id);
  for (const p of ports) {
    if (livePort(draft, p.port).standby?.migration === id) revokeStandby(draft, p.port);
    else if (p.activated && canReturn(draft, p, source)) bind(draft, p.port, source);
  }
  go(draft, id, to, reason);
}

/** A port goes back only if it is still where this migration had put it, and there is a source to go back to. */
function canReturn(draft: Draft, p: Migration['ports'][number], source: HostName): boolean {
  const port = livePort(draft, p.port);
  if (port.deleted || port.epoch !== p.epoch) return false;
  if (draft.state.switches.get(port.switch)?.members[source] === undefined) return false;
  return port.active !== null || port.retiring.some((b) => b.host === source && b.epoch < p.epoch);
}

/** Every activated port's earlier binding at the source is still there to go back to. */
function sourceStillThere(draft: Draft, id: MigrationId): boolean {
  const { ports, source } = migrationOf(draft, id);
  return ports.every(
    (p) =>
      !p.activated || livePort(draft, p.port).retiring.some((b) => b.host === source && b.epoch < p.epoch),
  );
}

function complete(draft: Draft, id: MigrationId): void {
  if (isComplete(draft.state, migrationOf(draft, id))) go(draft, id, 'completed');
}
