import { type Epoch, type HostName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { deleteIfDone } from '../group/ports.js';
import { hasOpen } from '../ledger/ledger.js';
import { type Port } from '../model/state.js';

export const nextEpoch = ({ state }: Draft, port: Port): Epoch =>
  Math.max(port.epoch + 1, state.epochsFrom) as Epoch;

export function livePort(draft: Draft, id: PortId): Port {
  const port = draft.state.ports.get(id);
  if (port === undefined) throw new Error(`port ${id} is in an index but not in the state`);
  return port;
}

export function bind(draft: Draft, id: PortId, host: HostName): void {
  draft.emit({ type: 'PortBound', port: id, host, epoch: nextEpoch(draft, livePort(draft, id)) });
}

/**
 * Binds what somebody has plugged in. On a host in maintenance, too: the guest runs there already, and without its port
 * it would only be cut off. That it came is told, and an evacuation that runs sends it off.
 */
export function bindPlugged(draft: Draft, id: PortId, host: HostName): void {
  if (draft.state.hosts.get(host)?.maintenance !== true) return bind(draft, id, host);
  const epoch = nextEpoch(draft, livePort(draft, id));
  draft.emit({ type: 'PortBound', port: id, host, epoch, inMaintenance: true });
}

/** Takes the active binding away because its own host saw the interface go. */
export function unbind(draft: Draft, id: PortId): void {
  const { active } = livePort(draft, id);
  if (active === null) return;
  // It retires when its host has handed in what it counted. That no segment of it is known says little: the host may
  // not have had the binding's document yet, and a guest that is back at once is counted under it until the next comes.
  draft.emit({ type: 'PortUnbound', port: id, host: active.host, epoch: active.epoch });
}

export function revokeStandby(draft: Draft, id: PortId): void {
  const { standby } = livePort(draft, id);
  if (standby === null) return;
  // It retires when its host says so. That no segment of it is known means little: the host may have made the port
  // ready, and even let the guest's first frames in, without having been heard.
  draft.emit({ type: 'StandbyRevoked', port: id, host: standby.host, epoch: standby.epoch });
}

/** Ends a retiring binding once its segments are closed. */
export function retireIfClosed(draft: Draft, id: PortId, host: HostName, epoch: Epoch): void {
  const port = livePort(draft, id);
  if (!port.retiring.some((b) => b.host === host && b.epoch === epoch)) return;
  if (hasOpen(port.ledger, host, epoch)) return;
  draft.emit({ type: 'BindingRetired', port: id, host, epoch });
  endIfEphemeral(draft, id);
}

/** An ephemeral port goes when nothing is plugged in and its last counters are in; its epoch and ledger stay. */
function endIfEphemeral(draft: Draft, id: PortId): void {
  const port = livePort(draft, id);
  if (port.deleted || port.active !== null || port.standby !== null || port.retiring.length > 0) return;
  if (draft.state.groups.get(port.group)?.binding !== 'ephemeral') return;
  draft.emit({ type: 'PortDisconnected', port: id });
  draft.emit({ type: 'PortDeleted', port: id });
  deleteIfDone(draft, port.group);
}
