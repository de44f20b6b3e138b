import { type HostName } from '#kernel';
import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Port } from '../model/state.js';
import { must, portOf, putPort, type Next } from '../state/next.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function portClaimed(next: Next, e: Of<'PortClaimed'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  list(next, e.host, port);
  putPort(next, port, { ...port, claim: { host: e.host, reason: e.reason, since: meta.time } });
}

export function portReleased(next: Next, e: Of<'PortReleased'>): void {
  const port = portOf(next, e.port);
  putPort(next, port, settled(next, port, e.host));
}

export function portTakenOver(next: Next, e: Of<'PortTakenOver'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const host = must(next.hosts.get(e.host), `host ${e.host}`);
  next.hosts = next.hosts.set(e.host, { ...host, fence: meta.revision });
  list(next, e.host, port);
  const others = (port.taken ?? []).filter((h) => h !== e.host);
  putPort(next, port, { ...port, taken: [...others, e.host] });
}

/** The port as it is when this host has it, or has nothing of it any more; without a host: when nobody has. */
export function settled(next: Next, port: Port, host?: HostName): Port {
  const { claim, taken, ...rest } = port;
  if (claim === undefined && taken === undefined) return port;
  const isIt = (h: HostName): boolean => host === undefined || h === host;
  const gone = [...(claim === undefined ? [] : [claim.host]), ...(taken ?? [])].filter(isIt);
  for (const h of gone) unlist(next, h, port);
  const stillTaken = (taken ?? []).filter((h) => !isIt(h));
  return {
    ...rest,
    ...(claim === undefined || isIt(claim.host) ? {} : { claim }),
    ...(stillTaken.length === 0 ? {} : { taken: stillTaken }),
  };
}

function list(next: Next, name: HostName, { id }: Port): void {
  const host = must(next.hosts.get(name), `host ${name}`);
  const others = (host.claims ?? []).filter((p) => p !== id);
  next.hosts = next.hosts.set(name, { ...host, claims: [...others, id] });
}

function unlist(next: Next, name: HostName, { id }: Port): void {
  const host = next.hosts.get(name);
  if (host?.claims === undefined) return;
  const { claims, ...rest } = host;
  const others = claims.filter((p) => p !== id);
  next.hosts = next.hosts.set(name, others.length === 0 ? rest : { ...rest, claims: others });
}
