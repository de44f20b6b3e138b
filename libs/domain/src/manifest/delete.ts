import { Set as Ids } from 'immutable';
import {
  type GroupName,
  type HostName,
  type PortId,
  type Problem,
  type SetName,
  type SwitchName,
} from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { connectedCount, removeGroup } from '../group/ports.js';
import { type Command } from '../model/commands.js';
import { giveUpCounters } from '../ledger/give-up.js';
import { usersOf } from '../set/members.js';
import { livePort } from '../port/bind.js';
import { staleVersion } from '../port/decide.js';
import { currentVersion } from './apply.js';
import { names } from './context.js';

type Delete = Extract<Command, { type: 'Delete' }>;

export function deleteResource(draft: Draft, command: Delete): Problem | null {
  const { kind, name } = command;
  const current = currentVersion(draft.state, kind, name);
  if (current === undefined || isOfOtherKind(draft, kind, name)) {
    return refuse('not-found', refusal('not-found', 'name', name, `is not a known ${kind}`));
  }
  const stale = staleVersion('version', command.version, current);
  if (stale !== null) return stale;
  switch (kind) {
    case 'Host':
      return deleteHost(draft, name as HostName, command);
    case 'DistributedSwitch':
    case 'StandardSwitch':
      return deleteSwitch(draft, name as SwitchName);
    case 'PortGroup':
      return deleteGroup(draft, name as GroupName);
    case 'AddressSet':
    case 'PortSet':
      return deleteSet(draft, name as SetName);
    case 'Port': {
      const reason = 'is one of the ports of its group';
      return refuse(
        'refused',
        refusal('group-port', 'name', name, reason, 'a smaller spec.ports of the group'),
      );
    }
  }
}

/** Switches of both kinds share their names, and so do sets. */
function isOfOtherKind({ state }: Draft, kind: Delete['kind'], name: string): boolean {
  switch (kind) {
    case 'DistributedSwitch':
    case 'StandardSwitch':
      return (kind === 'StandardSwitch') !== (state.switches.get(name as SwitchName)?.kind === 'standard');
    case 'AddressSet':
    case 'PortSet':
      return (kind === 'PortSet') !== (state.sets.get(name as SetName)?.kind === 'ports');
    default:
      return false;
  }
}

function deleteSet(draft: Draft, name: SetName): Problem | null {
  const users = usersOf(draft.state, name);
  if (users.length > 0) {
    const reason = `is named by rules of ${names(users)}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a set that no rule names'));
  }
  draft.emit({ type: 'SetRemoved', name });
  return null;
}

function deleteSwitch(draft: Draft, name: SwitchName): Problem | null {
  const groups = [...draft.state.groups.values()].filter((g) => g.switch === name).map((g) => g.name);
  if (groups.length > 0) {
    const reason = `still has the port groups ${names(groups.sort())}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a switch without port groups'));
  }
  draft.emit({ type: 'SwitchRemoved', name });
  return null;
}

/** With connected ports the group closes, and goes by itself with the last of them. */
function deleteGroup(draft: Draft, name: GroupName): Problem | null {
  const preloading = [...draft.state.hosts.values()].filter((h) => h.preload.includes(name));
  if (preloading.length > 0) {
    const reason = `is preloaded by ${names(preloading.map((h) => h.name))}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a group that no host preloads'));
  }
  const sets = draft.state.bySetMember.get(`group ${name}`) ?? Ids<SetName>();
  if (!sets.isEmpty()) {
    const reason = `is a member of the sets ${names([...sets].sort())}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a group in no set of ports'));
  }
  if (connectedCount(draft, name) === 0) removeGroup(draft, name);
  else if (draft.state.groups.get(name)?.phase === 'open') draft.emit({ type: 'GroupClosing', name });
  return null;
}

function deleteHost(draft: Draft, name: HostName, command: Delete): Problem | null {
  const ids = [...(draft.state.byHost.get(name) ?? Ids<PortId>())];
  const bound = ids.filter((id) => {
    const port = livePort(draft, id);
    return port.active?.host === name || port.standby?.host === name;
  });
  if (bound.length > 0) {
    const reason = `still has the ports ${names(bound)}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a host without ports'));
  }
  const member = [...draft.state.switches.values()].filter((s) => s.members[name] !== undefined);
  if (member.length > 0) {
    const reason = `is a member of ${names(member.map((s) => s.name))}`;
    return refuse('refused', refusal('in-use', 'name', name, reason, 'a host in no switch'));
  }
  for (const id of ids) giveUpCounters(draft, id, name, command.checkpoints ?? [], HOST_REMOVED);
  draft.emit({ type: 'HostRemoved', name });
  return null;
}

const HOST_REMOVED = {
  atCheckpoint: 'the host was removed: closed at its last checkpoint',
  without: 'the host was removed without a checkpoint',
};
