import { type MigrationId } from '#kernel';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Migration, type MigrationStep } from '../model/state.js';
import { must, type Next } from '../state/next.js';
import { hasEnded } from './phases.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;
type Moved = Pick<Migration['ports'][number], 'port' | 'epoch'>;
type Mark = Partial<Migration['ports'][number]>;

/** Ended migrations that stay in the state; the log has all of them. */
export const MIGRATIONS_KEPT = 4096;

function step(phase: MigrationStep['phase'], meta: EventMeta, reason: string | undefined): MigrationStep {
  return { phase, at: meta.time, revision: meta.revision, ...(reason === undefined ? {} : { reason }) };
}

export function migrationStarted(next: Next, e: Of<'MigrationStarted'>, meta: EventMeta): void {
  const { id, phase, reason, ports } = e.migration;
  const migration: Migration = { ...e.migration, history: [step(phase, meta, reason ?? undefined)] };
  next.migrations = next.migrations.set(id, migration);
  next.moving = next.moving.withMutations((m) => ports.forEach((p) => m.set(p.port, id)));
  const number = Number(id.slice(1));
  next.nextMigration = Math.max(next.nextMigration, number + 1);
  const oldest = `m${number - MIGRATIONS_KEPT}` as MigrationId;
  const past = next.migrations.get(oldest);
  if (past !== undefined && hasEnded(past.phase)) next.migrations = next.migrations.remove(oldest);
}

export function migrationAdvanced(next: Next, e: Of<'MigrationAdvanced'>, meta: EventMeta): void {
  const before = must(next.migrations.get(e.migration), `migration ${e.migration}`);
  next.migrations = next.migrations.set(before.id, {
    ...before,
    phase: e.to,
    episode: e.episode,
    deadline: e.deadline,
    reason: e.reason ?? before.reason,
    history: [...before.history, step(e.to, meta, e.reason)],
  });
  if (hasEnded(e.to)) {
    next.moving = next.moving.withMutations((m) => before.ports.forEach((p) => m.delete(p.port)));
  }
}

export function hypervisorReported(next: Next, e: Of<'HypervisorReported'>): void {
  const before = must(next.migrations.get(e.migration), `migration ${e.migration}`);
  const paused = e.pauseMs === undefined ? {} : { pauseMs: e.pauseMs };
  next.migrations = next.migrations.set(before.id, { ...before, outcome: e.outcome, ...paused });
}

const seen = ({ at, realised, carried }: Pick<Of<'PortActivated'>, 'at' | 'realised' | 'carried'>): Mark => ({
  ...(at === undefined ? {} : { activatedAt: at }),
  ...(realised === undefined ? {} : { realised }),
  ...(carried === undefined ? {} : { carried }),
});

/** Marks a port as active at the destination. */
export function activated(next: Next, e: Of<'PortActivated'>): void {
  mark(next, e, { activated: true, ...seen(e) });
}

export function firstFrameNoted(next: Next, e: Of<'FirstFrameNoted'>): void {
  markIn(next, e.migration, e, seen(e));
}

/** The source's last counters of a port say when it was turned away. */
export function turned(next: Next, { port, host, epoch, turnedAt }: Of<'SegmentClosed'>): void {
  const migration = next.migrations.get(next.moving.get(port) as MigrationId);
  if (turnedAt === undefined || migration?.source !== host) return;
  const moved = migration.ports.find((p) => p.port === port && p.epoch > epoch);
  if (moved !== undefined) mark(next, moved, { turnedAt });
}

export function standbyReady(next: Next, e: Of<'StandbyReady'>): void {
  mark(next, e, { ready: e.ready, ...(e.plugged === undefined ? {} : { plugged: e.plugged }) });
}

/** In the migration that moves the port now. */
function mark(next: Next, moved: Moved, what: Mark): void {
  markIn(next, next.moving.get(moved.port), moved, what);
}

function markIn(next: Next, id: MigrationId | undefined, { port, epoch }: Moved, what: Mark): void {
  const before = id === undefined ? undefined : next.migrations.get(id);
  if (before === undefined) return;
  const ports = before.ports.map((p) => (p.port === port && p.epoch === epoch ? { ...p, ...what } : p));
  next.migrations = next.migrations.set(before.id, { ...before, ports });
}
