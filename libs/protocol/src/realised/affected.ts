import { type GroupName, type HostName, type PortId, type SetName, type SwitchName } from '#kernel';
import { type HostException } from '#contracts';
import { hostOfKey, type DocumentChange } from '../projection/documents.js';
import { type Holdings } from './holdings.js';

/** What a revision changed, as far as hosts have to do with it. */
export interface Affected {
  /** Hosts with documents of their own that changed. */
  readonly own: ReadonlySet<HostName>;
  readonly ports: ReadonlySet<PortId>;
  readonly groups: ReadonlySet<GroupName>;
  readonly switches: ReadonlySet<SwitchName>;
  readonly sets: ReadonlySet<SetName>;
}

export function affectedBy(changes: readonly DocumentChange[]): Affected {
  const own = new Set<HostName>();
  const ports = new Set<PortId>();
  const groups = new Set<GroupName>();
  const switches = new Set<SwitchName>();
  const sets = new Set<SetName>();
  for (const { key } of changes) {
    const host = hostOfKey(key);
    const name = key.slice(key.lastIndexOf('.') + 1);
    if (host !== null) {
      own.add(host as HostName);
      if (key.startsWith(`h.${host}.port.`)) ports.add(name as PortId);
    } else if (key.startsWith('s.group.')) groups.add(name as GroupName);
    else if (key.startsWith('s.set.')) sets.add(name as SetName);
    else switches.add(name as SwitchName);
  }
  return { own, ports, groups, switches, sets };
}

/**
 * Hosts that have to realise it, as things stand now: a migration may have brought an affected port to one more host,
 * and a host that is gone has nothing to realise. Undefined (too long ago to know): all of them.
 */
export function targetsOf(affected: Affected | undefined, holdings: Holdings): Set<HostName> {
  if (affected === undefined) return new Set(holdings.hosts.keys());
  const targets = new Set<HostName>(affected.own);
  const add = (hosts: Iterable<HostName>): void => {
    for (const host of hosts) targets.add(host);
  };
  for (const port of affected.ports) add(holdings.withPort(port));
  for (const group of affected.groups) add(holdings.withGroup(group));
  for (const name of affected.switches) add(holdings.withSwitch(name));
  for (const name of affected.sets) add(holdings.withSet(name));
  for (const host of targets) if (!holdings.hosts.has(host)) targets.delete(host);
  return targets;
}

/** Codes of what is told and stands in nobody's way: all that was wanted is carried out. */
const ADVICE: ReadonlySet<string> = new Set(['uplink-advice']);

/** The exceptions that stand in the way of a revision on a host. One that names no port stands in every way. */
export function hindering(
  exceptions: readonly HostException[],
  affected: Affected | undefined,
  host: HostName,
  holdings: Holdings,
): readonly HostException[] {
  const serious = exceptions.filter(({ code }) => !ADVICE.has(code));
  if (affected === undefined) return serious;
  return serious.filter(({ port }) => {
    if (port === null || affected.ports.has(port)) return true;
    const placed = holdings.port(host, port);
    if (placed === undefined) return false;
    if (affected.groups.has(placed.group) || affected.switches.has(placed.switch)) return true;
    return affected.sets.size > 0 && holdings.setsOf(placed).some((name) => affected.sets.has(name));
  });
}
