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
