import { Set as Ids } from 'immutable';
import { type GroupName, type HostName, type PortId, type Problem, type SwitchName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { connectedCount, removeGroup } from '../group/ports.js';
import { type Command } from '../model/commands.js';
import { giveUpCounters } from '../ledger/give-up.js';
import { livePort } from '../port/bind.js';
import { staleVersion } from '../port/decide.js';
import { currentVersion } from './apply.js';
import { names } from './context.js';

type Delete = Extract<Command, { type: 'Delete' }>;

export function deleteResource(draft: Draft, command: Delete): Problem | null {
  const { kind, name } = command;
  const current = currentVersion(draft.state, kind, name);
  const sw = draft.state.switches.get(name as SwitchName);
  const otherKind = sw !== undefined && (kind === 'StandardSwitch') !== (sw.kind === 'standard');
  if (current === undefined || (otherKind && kind !== 'Host' && kind !== 'PortGroup' && kind !== 'Port')) {
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
    case 'Port': {
      const reason = 'is one of the ports of its group';
      return refuse(
        'refused',
        refusal('group-port', 'name', name, reason, 'a smaller spec.ports of the group'),
      );
    }
  }
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
