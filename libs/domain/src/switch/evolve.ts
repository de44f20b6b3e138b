import { Set } from 'immutable';
import { type PortId } from '#kernel';
import { same } from '../policy/same.js';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { addMac, dropMac, portOf, type Next } from '../state/next.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function switchDefined(next: Next, e: Of<'SwitchDefined'>, meta: EventMeta): void {
  const before = next.switches.get(e.name);
  const change = (): void => {
    next.switches = next.switches.set(e.name, {
      name: e.name,
      kind: e.kind,
      version: meta.revision,
      ...e.spec,
    });
  };
  const stay =
    before === undefined ||
    (same(before.policy.vlan, e.spec.policy.vlan) && same(before.policy.macs, e.spec.policy.macs));
  if (stay) change();
  else rekeyed(next, portsOfSwitch(next, e.name), change);
}

export function switchRemoved(next: Next, e: Of<'SwitchRemoved'>): void {
  next.switches = next.switches.remove(e.name);
}

function* portsOfSwitch(next: Next, name: string): Iterable<PortId> {
  for (const group of next.groups.values()) {
    if (group.switch === name) yield* next.byGroup.get(group.name) ?? Set<PortId>();
  }
}

/** Makes a change that moves ports into other segments, with their MACs' keys taken out before and put in after. */
export function rekeyed(next: Next, ids: Iterable<PortId>, change: () => void): void {
  const list = [...ids];
  for (const id of list) dropMac(next, portOf(next, id));
  change();
  for (const id of list) addMac(next, portOf(next, id));
}
