import { type Epoch, type HostName, type Revision } from '#kernel';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Binding, type Group, type Port } from '../model/state.js';
import { activated } from '../migration/evolve.js';
import { settled } from './claim.js';
import { keepDeleted } from './deleted.js';
import { must, portOf, putPort, type Next } from '../state/next.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

const NO_EPOCH = 0 as Epoch;

export function portCreated(next: Next, e: Of<'PortCreated'>, meta: EventMeta): void {
  const port: Port = {
    id: e.port,
    group: e.group,
    switch: e.switch,
    version: meta.revision,
    override: {},
    connectee: null,
    active: null,
    standby: null,
    retiring: [],
    epoch: NO_EPOCH,
    ledger: { segments: [], folded: null, foldedCount: 0, foldedInexact: 0 },
    deleted: false,
  };
  putPort(next, undefined, port);
  next.nextPort = Math.max(next.nextPort, Number(e.port.slice(1)) + 1);
}

export function portMoved(next: Next, e: Of<'PortMoved'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const group = must(next.groups.get(e.group), `group ${e.group}`);
  const since = isolation(next.groups.get(port.group), group, port, meta);
  const { isolatesSince: _before, ...rest } = port;
  const moved = { group: e.group, switch: group.switch, version: meta.revision };
  putPort(next, port, changed(rest, since === 0 ? moved : { ...moved, isolatesSince: since }));
}

/** Since when its host closes it for one group or the other when it is cut off; 0: nothing that its group does not say. */
function isolation(from: Group | undefined, to: Group, port: Port, { revision }: EventMeta): Revision | 0 {
  if (to.partitionPolicy === 'keep') return 0;
  if (from?.partitionPolicy !== 'isolate') return revision;
  return Math.max(from.isolatesSince ?? 0, port.isolatesSince ?? 0) as Revision | 0;
}

export function portOverridden(next: Next, e: Of<'PortOverridden'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(port, { override: e.override, version: meta.revision }));
}

export function portDeleted(next: Next, e: Of<'PortDeleted'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const free = settled(next, port);
  const deleted = changed(free, { deleted: true, connectee: null, version: meta.revision });
  putPort(next, port, deleted);
  keepDeleted(next, deleted);
}

export function portConnected(next: Next, e: Of<'PortConnected'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(port, { connectee: e.connectee, version: meta.revision }));
}

export function portDisconnected(next: Next, e: Of<'PortDisconnected'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(settled(next, port), { connectee: null, version: meta.revision }));
}

/** Written out, as in `copyOf`: spreading a port twice over was the dearest step of most commits. */
function changed(p: Port, change: Partial<Port>): Port {
  const next: { -readonly [K in keyof Port]: Port[K] } = {
    id: p.id,
    group: p.group,
    switch: p.switch,
    version: p.version,
    override: p.override,
    connectee: p.connectee,
    active: p.active,
    standby: p.standby,
    retiring: p.retiring,
    epoch: p.epoch,
    ledger: p.ledger,
    deleted: p.deleted,
  };
  if (p.reset !== undefined) next.reset = p.reset;
  if (p.claim !== undefined) next.claim = p.claim;
  if (p.taken !== undefined) next.taken = p.taken;
  if (p.isolatesSince !== undefined) next.isolatesSince = p.isolatesSince;
  return Object.assign(next, change);
}

const retire = (port: Port, binding: Binding | null): readonly Binding[] =>
  binding === null ? port.retiring : [...port.retiring, { host: binding.host, epoch: binding.epoch }];

/** A bind over an active binding is the way back of a migration that was undone: the former one retires. */
export function portBound(next: Next, e: Of<'PortBound'>): void {
  const port = portOf(next, e.port);
  const active = { host: e.host, epoch: e.epoch };
  const change = { active, epoch: e.epoch, retiring: retire(port, port.active) };
  putPort(next, port, changed(settled(next, port, e.host), change));
}

export function portUnbound(next: Next, e: Of<'PortUnbound'>): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(port, { active: null, retiring: retire(port, port.active) }));
}

export function standbyGranted(next: Next, e: Of<'StandbyGranted'>): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(port, { standby: e.standby, epoch: e.standby.epoch }));
}

export function standbyRevoked(next: Next, e: Of<'StandbyRevoked'>): void {
  const port = portOf(next, e.port);
  putPort(next, port, changed(port, { standby: null, retiring: retire(port, port.standby) }));
}

export function portActivated(next: Next, e: Of<'PortActivated'>): void {
  const port = portOf(next, e.port);
  const active = { host: e.host, epoch: e.epoch };
  const change = { active, standby: null, retiring: retire(port, port.active) };
  putPort(next, port, changed(settled(next, port, e.host), change));
  activated(next, e);
}

export function bindingRetired(next: Next, e: Of<'BindingRetired'>): void {
  const port = portOf(next, e.port);
  const others = port.retiring.filter((b) => !isBinding(b, e.host, e.epoch));
  putPort(next, port, changed(port, { retiring: others }));
}

function isBinding(b: Binding, host: HostName, epoch: Epoch): boolean {
  return b.host === host && b.epoch === epoch;
}
