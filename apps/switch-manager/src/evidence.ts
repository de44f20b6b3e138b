import { problem, type HostName, type Problem, type Revision } from '#kernel';
import { type Command, type State } from '#domain';

/**
 * What a coordinator claims that hosts realised is held against what they reported to this leader. A claim that it
 * has not heard yet is no rejection (which would be remembered): the coordinator asks again.
 */
export function checkEvidence(
  command: Command,
  realised: (host: HostName) => Revision | null,
): Problem | null {
  if (command.type !== 'AdvanceMigration') return null;
  for (const [host, revision] of Object.entries(command.evidence)) {
    const known = realised(host as HostName);
    if (known === null || known < revision) {
      return problem(
        'unavailable',
        `${host} is said to have realised revision ${revision}, which it has not reported here`,
      );
    }
  }
  return null;
}

/**
 * A time-out asked for by a clock that runs ahead of ours, or of a time in which nobody led: what hosts had to say then
 * is heard first, for `graceMs` more. The domain would refuse the one and carry out the other, and under the id of that
 * time-out nothing else could ever be answered: so it is asked again, until it is time.
 */
export function checkDeadline(command: Command, state: State, now: number, graceMs: number): Problem | null {
  if (command.type !== 'TimeOutMigration') return null;
  const migration = state.migrations.get(command.migration);
  if (migration?.episode !== command.episode || migration.deadline === null) return null;
  const left = Math.max(graceMs, migration.deadline - Math.max(now, state.time));
  return left <= 0 ? null : problem('unavailable', `migration ${migration.id} has ${left} ms left`);
}
