import { type HostName, type Revision } from '#kernel';
import { KEYS, type BindingRole, type HandoverToken, type PortDocument } from '#contracts';
import { type Binding, type Port, type State } from '#domain';
import { refsOf, type SetRevision } from './of-shared.js';
import { type Stamp } from './stamp.js';

interface Placed extends Binding {
  readonly role: BindingRole;
}

/** Where a port has a binding of any role. A host that has several sees the one of the highest epoch. */
export function placements(port: Port | undefined): ReadonlyMap<HostName, Placed> {
  const found = new Map<HostName, Placed>();
  if (port === undefined) return found;
  const place = (binding: Binding, role: BindingRole): void => {
    const other = found.get(binding.host);
    if (other === undefined || binding.epoch > other.epoch)
      found.set(binding.host, { host: binding.host, epoch: binding.epoch, role });
  };
  for (const retiring of port.retiring) place(retiring, 'retired');
  if (port.standby !== null) place(port.standby, 'standby');
  if (port.active !== null) place(port.active, 'active');
  return found;
}

/** The port's documents: one for each host of the state that has a binding of it. */
export function portDocuments(
  state: State,
  port: Port,
  stamp: Stamp,
  minRevision: Revision,
  revisionOf: SetRevision,
  handoverToken: HandoverToken,
): PortDocument[] {
  const sets = refsOf(port.override, revisionOf);
  const handover = handoverOf(port, stamp, handoverToken);
  const documents: PortDocument[] = [];
  for (const { host, epoch, role } of placements(port).values()) {
    if (!state.hosts.has(host)) continue;
    documents.push({
      type: 'port',
      key: KEYS.port(host, port.id),
      ...stamp,
      port: port.id,
      host,
      switch: port.switch,
      group: port.group,
      minRevision,
      epoch,
      role,
      connectee: port.connectee,
      override: port.override,
      ...sets,
      handover: role === 'retired' ? null : handover,
      lease: null,
    });
  }
  return documents;
}

/** What both hosts of a move are to know: here, and nowhere before it, the token comes into being. */
function handoverOf(
  { id, standby }: Port,
  { lineage }: Stamp,
  handoverToken: HandoverToken,
): PortDocument['handover'] {
  if (standby === null) return null;
  const { migration, epoch } = standby;
  return { migration, token: handoverToken({ lineage, migration, port: id, epoch }), epoch };
}
