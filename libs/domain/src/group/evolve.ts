import { Set } from 'immutable';
import { type PortId } from '#kernel';
import { same } from '../policy/same.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Group } from '../model/state.js';
import { must, portOf, type Next } from '../state/next.js';
import { rekeyed } from '../switch/evolve.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function groupDefined(next: Next, e: Of<'GroupDefined'>, meta: EventMeta): void {
  const before = next.groups.get(e.name);
  const group: Group = { name: e.name, version: meta.revision, phase: before?.phase ?? 'open', ...e.spec };
  const change = (): void => {
    next.groups = next.groups.set(e.name, group);
    if (before !== undefined && before.switch !== group.switch) moveToSwitch(next, group);
  };
  if (before === undefined || sameSegments(before, group)) change();
  else rekeyed(next, next.byGroup.get(e.name) ?? Set<PortId>(), change);
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
