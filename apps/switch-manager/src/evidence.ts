import { problem, type HostName, type IfaceId, type PortId, type Problem, type Revision } from '#kernel';
import { type Command, type InterfaceFact, type State } from '#domain';
import { type FactBatch } from '#contracts';

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
 * of them again. Whoever has just taken its power away knows better. Not for the log to judge, and so not remembered.
 */
export function checkDeath(command: Command, isDown: (host: HostName) => boolean): Problem | null {
  if (command.type === 'TakeOver') return onlyHere();
  if (command.type !== 'GiveUpCounters' || command.dead !== true || command.fenced === true) return null;
  if (isDown(command.host)) return null;
  const reason = `is heard of`;
  return problem(
    'refused',
    `host ${command.host}: ${reason}; expected a host that has been silent for a while`,
    [{ field: 'host', value: command.host, reason, expected: 'a host that has been silent for a while' }],
  );
}

/** That a switch has closed its ports by itself is reckoned by the leader's own clock, from what it granted. */
const onlyHere = (): Problem => problem('refused', 'TakeOver: is said by the leader alone');

/**
 * Hosts that have what this one says is plugged in here, and are not heard of. Looked at before the log decides, which
 * knows nothing of silence.
 */
export function suspectsIn(
  { byIface, ports }: State,
  { host, facts }: Pick<FactBatch, 'host' | 'facts'>,
  isSuspect: (host: HostName) => boolean,
): readonly HostName[] {
  const found = new Set<HostName>();
  const look = ({ ifaceId }: InterfaceFact): void => {
    const active = ports.get(byIface.get(ifaceId as IfaceId) ?? ('' as PortId))?.active;
    if (active && active.host !== host && !found.has(active.host) && isSuspect(active.host))
      found.add(active.host);
  };
  for (const { fact } of facts) {
    if (fact.type === 'InterfacePlugged') look(fact.interface);
    else if (fact.type === 'Inventory') fact.interfaces.forEach(look);
  }
  return [...found].sort();
}
