import { equalJson, problem, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { deleteIfDone, shrink } from '../group/ports.js';
import { type Command } from '../model/commands.js';
import { connect, openGroup, parseConnectee } from './connect.js';
import { type Port } from '../model/state.js';
import { hostsOf } from '../state/next.js';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

export function connectPort(draft: Draft, command: Of<'ConnectPort'>): Problem | null {
  const connectee = parseConnectee(command.connectee);
  if (!connectee.ok)
    return refuse('invalid', { ...connectee.error, field: `connectee.${connectee.error.field}` });
  const at = draft.state.byIface.get(connectee.value.ifaceId);
  const now = at === undefined ? undefined : draft.state.ports.get(at);
  if (now !== undefined) {
    const same =
      now.group === command.group &&
      (command.port === undefined || command.port === now.id) &&
      equalJson(now.connectee, connectee.value);
    if (same) return null;
    const reason = `is connected to port ${now.id} of ${now.group} already`;
    return refuse('refused', refusal('connected', 'connectee.ifaceId', connectee.value.ifaceId, reason));
  }
  const group = openGroup(draft.state, command.group);
  if (!group.ok) return refuse(group.error.code === 'no-group' ? 'not-found' : 'refused', group.error);
  const port = connect(draft, group.value, connectee.value, command.port);
  return port.ok ? null : refuse(port.error.code === 'no-port' ? 'not-found' : 'refused', port.error);
}

export function disconnectPort(draft: Draft, command: Of<'DisconnectPort'>): Problem | null {
  const port = draft.state.ports.get(command.port);
  if (port === undefined || port.deleted) {
    return refuse('not-found', refusal('no-port', 'port', command.port, 'is not a known port'));
  }
  const stale = staleVersion('version', command.version, port.version);
  if (stale !== null) return stale;
  if (port.connectee === null) return null;
  if (hostsOf(port).length > 0)
    return refuse('refused', refusal('bound', 'port', port.id, heldAt(port), 'a port that no host holds'));
  draft.emit({ type: 'PortDisconnected', port: port.id });
  const group = draft.state.groups.get(port.group);
  if (group?.binding === 'ephemeral') draft.emit({ type: 'PortDeleted', port: port.id });
  else if (group?.resetAtDisconnect === true && Object.keys(port.override).length > 0) {
    draft.emit({ type: 'PortOverridden', port: port.id, override: {} });
  }
  shrink(draft, port.group);
  deleteIfDone(draft, port.group);
  return null;
}

function heldAt({ active, standby, retiring }: Port): string {
  if (active !== null) return `is plugged in on ${active.host}`;
  if (standby !== null) return `is awaited on ${standby.host} by migration ${standby.migration}`;
  return `has counters outstanding on ${[...new Set(retiring.map(({ host }) => host))].join(', ')}`;
}

/** The optimistic check of a single object: null when the version given still stands, or none was given. */
export function staleVersion(field: string, given: number | undefined, current: number): Problem | null {
  if (given === undefined || given === current) return null;
  const message = `${field} ${given}: is not the current version; expected ${current}`;
  return problem('conflict', message, [
    { field, value: String(given), reason: 'is not the current version', expected: String(current) },
  ]);
}
