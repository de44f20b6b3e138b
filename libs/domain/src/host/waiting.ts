import { type HostName, type PortId } from '#kernel';
import { noBandwidth } from '../bandwidth/refusals.js';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refusal, type Refuse } from '../decider/refusal.js';
import { supersede } from '../migration/react.js';
import { type Port, type State } from '../model/state.js';
import { isAble } from './abilities.js';
import { bindPlugged, livePort } from '../port/bind.js';
import { openGroup } from '../port/connect.js';

const isToIsolate = ({ groups }: State, { group }: Port): boolean =>
  groups.get(group)?.partitionPolicy === 'isolate';

/** Whether the switch of the port's host closes it by itself when that host is cut off: an old agent's does not. */
export const isolates = (state: State, port: Port): boolean =>
  isToIsolate(state, port) && port.active !== null && isAble(state, port.active.host, 'lease');

/** The ports of a host that are to be closed by its switch when it is cut off, and will not be. */
export function notIsolated(state: State, host: HostName): readonly PortId[] {
  if (isAble(state, host, 'lease')) return [];
  const ids = [...(state.byHost.get(host) ?? [])];
  return ids.filter((id) => {
    const port = state.ports.get(id);
    return port?.active?.host === host && isToIsolate(state, port);
  });
}

/** And the host surely knows: all have realised that, or this one is known to have (`realised`). */
export const surelyIsolates = (state: State, port: Port, realised = 0): boolean => {
  const since = Math.max(state.groups.get(port.group)?.isolatesSince ?? 0, port.isolatesSince ?? 0);
  return isolates(state, port) && since <= Math.max(state.realised, realised);
};

/** A port that is active nowhere goes to the host where its connectee is plugged in. Why not; null: it does. */
export function bindIdle(draft: Draft, host: HostName, port: Port): Refusal | null {
  const group = openGroup(draft.state, port.group);
  if (!group.ok) return group.error;
  const short = noBandwidth(draft.state, port, host);
  if (short !== null) return short;
  // Bound first: an ephemeral port without any binding would end with the standby that is revoked.
  bindPlugged(draft, port.id, host);
  supersede(draft, port.id, host);
  return null;
}

/**
 * Why a host where the connectee of a port is plugged in has to wait, though that would else be a guest that moves;
 * null: it need not. A guest that is plugged in elsewhere while its host is not heard of may run twice; and one that
 * lingers where its port was taken from must not take it back.
 */
export function mustWait(
  draft: Draft,
  host: HostName,
  port: Port,
  suspects: readonly HostName[],
): string | null {
  const { active } = port;
  if (active === null) return null;
  if (port.claim?.host === host) return port.claim.reason;
  if (port.taken?.includes(host) === true)
    return `${active.host} took it over while ${host} was lost: what is plugged in here is a twin, until it was unplugged`;
  if (!suspects.includes(active.host)) return null;
  const until = isolates(draft.state, port)
    ? `until its switch has surely closed it by itself (partitionPolicy of ${port.group}: isolate)`
    : `until somebody says that it is dead (partitionPolicy of ${port.group}: ${whyNot(draft.state, port)})`;
  return `${active.host}, which has it, is not heard of: waits for its word, or ${until}`;
}

const whyNot = (state: State, port: Port): string =>
  isToIsolate(state, port) ? `isolate, for which the agent of ${port.active?.host} is too old` : 'keep';

/** The first that waits is the one that gets it; asked again, it waits on. */
export function claim(draft: Draft, host: HostName, port: Port, reason: string, refuse: Refuse): void {
  if (port.claim === undefined) draft.emit({ type: 'PortClaimed', port: port.id, host, reason });
  else if (port.claim.host !== host)
    refuse(refusal('claimed', 'port', port.id, `is waited for by ${port.claim.host}`, 'one of them'));
}

/** Its host has let go of it: who waits gets it. What stands in the way then is looked at when that host tells of it again. */
export function fulfil(draft: Draft, id: PortId): void {
  const port = livePort(draft, id);
  if (port.claim === undefined || port.active !== null) return;
  if (draft.state.switches.get(port.switch)?.members[port.claim.host] === undefined) return;
  bindIdle(draft, port.claim.host, port);
}
