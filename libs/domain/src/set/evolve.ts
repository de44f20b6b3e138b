import { Set } from 'immutable';
import { type SetName } from '#kernel';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type MemberSet, type PortSet } from '../model/state.js';
import { type Next } from '../state/next.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function addressSetDefined(next: Next, e: Of<'AddressSetDefined'>, meta: EventMeta): void {
  put(next, { kind: 'addresses', name: e.name, version: meta.revision, ...e.spec });
}

export function portSetDefined(next: Next, e: Of<'PortSetDefined'>, meta: EventMeta): void {
  put(next, { kind: 'ports', name: e.name, version: meta.revision, ...e.spec });
}

export function setRemoved(next: Next, e: Of<'SetRemoved'>): void {
  drop(next, e.name);
  next.sets = next.sets.remove(e.name);
}

/** Also where a snapshot is read. */
export function put(next: Next, set: MemberSet): void {
  drop(next, set.name);
  next.sets = next.sets.set(set.name, set);
  if (set.kind !== 'ports') return;
  for (const key of memberKeys(set)) {
    const sets = next.bySetMember.get(key) ?? Set<SetName>();
    next.bySetMember = next.bySetMember.set(key, sets.add(set.name));
  }
}

function drop(next: Next, name: SetName): void {
  const before = next.sets.get(name);
  if (before?.kind !== 'ports') return;
  for (const key of memberKeys(before)) {
    const rest = (next.bySetMember.get(key) ?? Set<SetName>()).remove(name);
    next.bySetMember = rest.isEmpty() ? next.bySetMember.remove(key) : next.bySetMember.set(key, rest);
  }
}

/** What a set of ports lists, as `bySetMember` has it. */
const memberKeys = ({ groups, ports, owners }: PortSet): string[] => [
  ...groups.map((name) => `group ${name}`),
  ...ports.map((id) => `port ${id}`),
  ...owners.map((name) => `owner ${name}`),
];
