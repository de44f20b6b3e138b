import { Set } from 'immutable';
import { type GroupName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type Group } from '../model/state.js';

export function createPort(draft: Draft, group: Group): PortId {
  const port = draft.newPortId();
  draft.emit({ type: 'PortCreated', port, group: group.name, switch: group.switch });
  return port;
}

const numberOf = (id: PortId): number => Number(id.slice(1));

const count = (draft: Draft, group: GroupName): number => draft.state.byGroup.get(group)?.size ?? 0;
const freeCount = (draft: Draft, group: GroupName): number => draft.state.free.get(group)?.size ?? 0;

export const connectedCount = (draft: Draft, group: GroupName): number =>
  count(draft, group) - freeCount(draft, group);

/** Makes the number of a group's ports fit its definition; connected ports are never touched. */
export function fitPorts(draft: Draft, group: Group, before: Group | undefined): void {
  if (group.binding === 'ephemeral') {
    if (before?.binding === 'static') dropFree(draft, group.name, freeCount(draft, group.name));
    return;
  }
  const shrunk = before?.binding === 'static' && group.ports < before.ports;
  const have = count(draft, group.name);
  for (let i = have; i < group.ports; i++) createPort(draft, group);
  if ((shrunk || group.autoShrink) && have > group.ports) dropFree(draft, group.name, have - group.ports);
}

/**
 * Takes back what auto-expand made beyond the group's size, as far as it is free. Called when a port fell free; one
 * whose guest is merely off is not free.
 */
export function shrink(draft: Draft, name: GroupName): void {
  const group = draft.state.groups.get(name);
  if (group?.binding !== 'static' || !group.autoShrink || group.phase !== 'open') return;
  const beyond = count(draft, name) - group.ports;
  if (beyond > 0) dropFree(draft, name, beyond);
}

/** Deletes up to `howMany` free ports, those with the greatest numbers first: they have the least history. */
export function dropFree(draft: Draft, group: GroupName, howMany: number): void {
  const free = draft.state.free.get(group) ?? Set<PortId>();
  const ids = [...free].sort((a, b) => numberOf(b) - numberOf(a)).slice(0, howMany);
  for (const port of ids.reverse()) draft.emit({ type: 'PortDeleted', port });
}

/** A closing group goes with its last connected port. */
export function deleteIfDone(draft: Draft, name: GroupName): void {
  if (draft.state.groups.get(name)?.phase !== 'closing' || connectedCount(draft, name) > 0) return;
  removeGroup(draft, name);
}

export function removeGroup(draft: Draft, name: GroupName): void {
  const ids = [...(draft.state.byGroup.get(name) ?? Set<PortId>())].sort((a, b) => numberOf(a) - numberOf(b));
  for (const port of ids) draft.emit({ type: 'PortDeleted', port });
  draft.emit({ type: 'GroupDeleted', name });
}
