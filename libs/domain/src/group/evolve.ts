import { Set } from 'immutable';
import { type PortId, type Revision } from '#kernel';
import { same } from '../policy/same.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Group } from '../model/state.js';
import { must, portOf, type Next } from '../state/next.js';
import { rekeyed } from '../switch/evolve.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function groupDefined(next: Next, e: Of<'GroupDefined'>, meta: EventMeta): void {
  const before = next.groups.get(e.name);
  const group: Group = {
    name: e.name,
    version: meta.revision,
    phase: before?.phase ?? 'open',
    ...e.spec,
    ...isolation(before, e.spec, meta),
  };
  const change = (): void => {
    next.groups = next.groups.set(e.name, group);
    if (before !== undefined && before.switch !== group.switch) moveToSwitch(next, group);
  };
  if (before === undefined || sameSegments(before, group)) change();
  else rekeyed(next, next.byGroup.get(e.name) ?? Set<PortId>(), change);
}

function isolation(
  before: Group | undefined,
  { partitionPolicy }: Of<'GroupDefined'>['spec'],
  { revision }: EventMeta,
): Pick<Group, 'isolatesSince'> {
  if (partitionPolicy !== 'isolate' || before === undefined) return {};
  const since = before.partitionPolicy === 'isolate' ? before.isolatesSince : revision;
  return since === undefined ? {} : { isolatesSince: since };
}

/** Revisions begin anew: who carries out any of the new ones knows of all that was before. */
export function beginAnew(next: Next, revision: Revision): void {
  for (const group of next.groups.values())
    if (group.isolatesSince !== undefined)
      next.groups = next.groups.set(group.name, { ...group, isolatesSince: revision });
  for (const port of next.ports.values())
    if (port.isolatesSince !== undefined)
      next.ports = next.ports.set(port.id, { ...port, isolatesSince: revision });
  for (const host of next.hosts.values())
    if (host.fence !== undefined) next.hosts = next.hosts.set(host.name, { ...host, fence: revision });
}

function sameSegments(a: Group, b: Group): boolean {
  return (
    a.switch === b.switch &&
    a.overridable.includes('vlan') === b.overridable.includes('vlan') &&
    a.overridable.includes('macs') === b.overridable.includes('macs') &&
    same(a.policy.vlan, b.policy.vlan) &&
    same(a.policy.macs, b.policy.macs)
  );
}

function moveToSwitch(next: Next, group: Group): void {
  for (const id of next.byGroup.get(group.name) ?? Set<PortId>()) {
    next.ports = next.ports.set(id, { ...portOf(next, id), switch: group.switch });
  }
}

export function groupClosing(next: Next, e: Of<'GroupClosing'>, meta: EventMeta): void {
  const group = must(next.groups.get(e.name), `group ${e.name}`);
  next.groups = next.groups.set(e.name, { ...group, phase: 'closing', version: meta.revision });
}

export function groupDeleted(next: Next, e: Of<'GroupDeleted'>): void {
  next.groups = next.groups.remove(e.name);
  next.byGroup = next.byGroup.remove(e.name);
  next.free = next.free.remove(e.name);
}
