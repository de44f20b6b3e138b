import { type PortId, type Problem } from '#kernel';
import { noBandwidth } from '../bandwidth/refusals.js';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { deleteIfDone, dropFree, fitPorts, shrink } from '../group/ports.js';
import { type Command } from '../model/commands.js';
import { type Group, type Port } from '../model/state.js';
import { freePort, macTaken, openGroup } from './connect.js';
import { staleVersion } from './decide.js';

type Move = Extract<Command, { type: 'MovePort' }>;

/**
 * A connected port goes over to another group of its switch, with its binding, epoch, ledger and overrides: those that
 * the new group does not let ports override are ignored there. A group of static ports keeps its number of them: the
 * port takes a free one's place where it comes to, and leaves a free one where it was.
 */
export function movePort(draft: Draft, command: Move): Problem | null {
  const port = draft.state.ports.get(command.port);
  if (port === undefined || port.deleted) {
    return refuse('not-found', refusal('no-port', 'port', command.port, 'is not a known port'));
  }
  const stale = staleVersion('version', command.version, port.version);
  if (stale !== null) return stale;
  if (port.group === command.group) return null;
  const group = openGroup(draft.state, command.group);
  if (!group.ok) return refuse(group.error.code === 'no-group' ? 'not-found' : 'refused', group.error);
  const place = placeIn(draft, port, group.value);
  if ('details' in place) return place;
  if (place.freed !== null) dropFree(draft, group.value.name, 1);
  draft.emit({ type: 'PortMoved', port: port.id, group: group.value.name });
  const left = draft.state.groups.get(port.group);
  if (left?.phase === 'open') fitPorts(draft, left, left);
  shrink(draft, port.group);
  deleteIfDone(draft, port.group);
  return null;
}

/** The free port whose place it takes; null: there is room for one more. A problem: why it may not come. */
function placeIn(draft: Draft, port: Port, group: Group): { readonly freed: PortId | null } | Problem {
  const { connectee } = port;
  if (connectee === null) {
    const reason = 'has no connectee: there is nothing to move';
    return refuse('refused', refusal('not-connected', 'port', port.id, reason, 'a connected port'));
  }
  const migration = draft.state.moving.get(port.id);
  if (migration !== undefined) {
    const reason = `is being moved by migration ${migration}`;
    return refuse('refused', refusal('migrating', 'port', port.id, reason, 'a port that no migration moves'));
  }
  if (group.switch !== port.switch) {
    const reason = `is a group of switch ${group.switch}, the port is on ${port.switch}`;
    return refuse(
      'refused',
      refusal('wrong-switch', 'group', group.name, reason, 'a group of the same switch'),
    );
  }
  const duplicate = macTaken(draft.state, group, connectee, port.override, port.id);
  if (duplicate !== null) return refuse('refused', duplicate);
  const short =
    port.active === null ? null : noBandwidth(draft.state, { ...port, group: group.name }, port.active.host);
  if (short !== null) return refuse('refused', short);
  const place = freePort(draft.state, group);
  return place.ok ? { freed: place.value } : refuse('refused', place.error);
}
