import { problem, type HostName, type Problem, type Revision } from '#kernel';
import { type Command } from '#domain';

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
 * A host that is heard of is not dead, whatever an operator says: its guests would lose their ports until it has told
 * of them again. Not for the log to judge, and so not remembered.
 */
export function checkDeath(command: Command, isDown: (host: HostName) => boolean): Problem | null {
  if (command.type !== 'GiveUpCounters' || command.dead !== true || isDown(command.host)) return null;
  const reason = `is heard of`;
  return problem(
    'refused',
    `host ${command.host}: ${reason}; expected a host that has been silent for a while`,
    [{ field: 'host', value: command.host, reason, expected: 'a host that has been silent for a while' }],
  );
}
