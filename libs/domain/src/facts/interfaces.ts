import { Set as Ids } from 'immutable';
import { type HostName, type IfaceId, type PortId, type SwitchName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refuse } from '../decider/refusal.js';
import {
  activatedGone,
  destinationGone,
  elsewhere,
  notePlugged,
  settle,
  sourceGone,
} from '../migration/react.js';
import { migrationOn } from '../migration/effects.js';
import { type InterfaceFact } from '../model/commands.js';
import { type Connectee, type Port } from '../model/state.js';
import { bindIdle, claim, fulfil, mustWait } from '../host/waiting.js';
import { bindPlugged, livePort, unbind } from '../port/bind.js';
import { connect, openGroup, parseConnectee } from '../port/connect.js';
import { observe } from '../migration/observe.js';

/** An interface is plugged in on this host: give it its port, bind, or recognise what it is part of. */
export function plugged(
  draft: Draft,
  host: HostName,
  iface: InterfaceFact,
  refuse: Refuse,
  suspects: readonly HostName[] = [],
): void {
  const connectee = parseConnectee(iface);
  if (!connectee.ok) return refuse(connectee.error);
  const sw = draft.state.switches.get(iface.switch as SwitchName);
  if (sw?.members[host] === undefined) {
    return refuse(refusal('not-member', 'switch', iface.switch, 'does not have this host as a member'));
  }
  const id = draft.state.byIface.get(connectee.value.ifaceId);
  if (id === undefined) plugNew(draft, host, iface, connectee.value, refuse);
  else plugKnown(draft, host, iface, livePort(draft, id), refuse, suspects);
}

function plugNew(draft: Draft, host: HostName, iface: InterfaceFact, who: Connectee, refuse: Refuse): void {
  if (iface.profile === null) {
    const reason = 'has no port and names no port group: it is quarantined';
    return refuse(
      refusal('quarantined', 'ifaceId', who.ifaceId, reason, 'a port connected before, or a profile'),
    );
  }
  const group = openGroup(draft.state, iface.profile);
  if (!group.ok) return refuse({ ...group.error, field: 'profile' });
  if (group.value.switch !== iface.switch) {
    const reason = `is a group of switch ${group.value.switch}, the interface is on ${iface.switch}`;
    return refuse(refusal('wrong-switch', 'profile', iface.profile, reason));
  }
  const port = connect(draft, group.value, who, undefined, host);
  if (port.ok) bindPlugged(draft, port.value, host);
  else refuse(port.error);
}

/** The port's own connection wins over what the interface says of its group: only the operator moves it. */
function plugKnown(
  draft: Draft,
  host: HostName,
  { mac, switch: sw }: InterfaceFact,
  port: Port,
  refuse: Refuse,
  suspects: readonly HostName[],
): void {
  if (port.connectee?.mac !== mac) {
    const reason = `differs from port ${port.id}'s`;
    return refuse(refusal('mac-mismatch', 'mac', mac, reason, String(port.connectee?.mac)));
  }
  if (port.switch !== sw) {
    return refuse(refusal('wrong-switch', 'switch', sw, `is not port ${port.id}'s`, port.switch));
  }
  if (port.active?.host === host) return;
  if (port.standby?.host === host) return notePlugged(draft, port.id, true);
  if (port.active === null) {
    const no = bindIdle(draft, host, port);
    return no === null ? undefined : refuse(no);
  }
  const wait = mustWait(draft, host, port, suspects);
  if (wait !== null) return claim(draft, host, port, wait, refuse);
  if (draft.state.moving.has(port.id)) return elsewhere(draft, host, port, refuse);
  return observe(draft, host, port, refuse);
}

/** An interface went: of a binding in any role. One that is not known was quarantined, and owes nothing. */
export function unplugged(draft: Draft, host: HostName, ifaceId: string): void {
  const id = draft.state.byIface.get(ifaceId as IfaceId);
  if (id === undefined) return;
  if (draft.state.hosts.get(host)?.claims?.includes(id) === true)
    draft.emit({ type: 'PortReleased', port: id, host });
  gone(draft, host, id, true);
}

/** What was plugged in is so no more, whatever it was bound as. `surely`: it was seen to go; a standby may also be absent because it has not come yet. */
export function gone(draft: Draft, host: HostName, id: PortId, surely: boolean): void {
  if (livePort(draft, id).active?.host === host) {
    unbind(draft, id);
    sourceGone(draft, id, host);
    activatedGone(draft, id, host);
  }
  if (livePort(draft, id).standby?.host === host) destinationGone(draft, id, surely);
  fulfil(draft, id);
  settle(draft, id);
}

/** Everything that is plugged in now: makes up for every edge that was missed, in either direction. */
export function inventory(
  draft: Draft,
  host: HostName,
  interfaces: readonly InterfaceFact[],
  refuse: Refuse,
  suspects: readonly HostName[] = [],
): void {
  const present = new Set(interfaces.map((i) => i.ifaceId));
  for (const port of draft.state.hosts.get(host)?.claims ?? [])
    if (!present.has(livePort(draft, port).connectee?.ifaceId ?? ''))
      draft.emit({ type: 'PortReleased', port, host });
  for (const id of draft.state.byHost.get(host) ?? Ids<PortId>()) {
    const iface = livePort(draft, id).connectee?.ifaceId;
    if (iface === undefined || present.has(iface)) continue;
    const mates = migrationOn(draft, id)?.ports ?? [];
    const none = mates.every((p) => !present.has(livePort(draft, p.port).connectee?.ifaceId ?? ''));
    gone(draft, host, id, none);
  }
  for (const iface of interfaces) plugged(draft, host, iface, refuse, suspects);
}
