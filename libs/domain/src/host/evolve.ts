import { type EventMeta, type DomainEvent } from '../model/events.js';
import { type Host } from '../model/state.js';
import { settled } from '../port/claim.js';
import { specOfHost } from './spec.js';
import { must, portOf, putPort, type Next } from '../state/next.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

const BOOTS_KEPT = 8;

export function hostDefined(next: Next, e: Of<'HostDefined'>, meta: EventMeta): void {
  // What is known of a host outlives what is said of it.
  const known = next.hosts.get(e.name) ?? { facts: null, formerBoots: [], downUplinks: [] };
  const host: Host = { ...known, ...specOfHost(e.spec), name: e.name, version: meta.revision };
  next.hosts = next.hosts.set(e.name, host);
}

export function hostRemoved(next: Next, e: Of<'HostRemoved'>): void {
  for (const id of next.hosts.get(e.name)?.claims ?? []) {
    const port = portOf(next, id);
    putPort(next, port, settled(next, port, e.name));
  }
  next.hosts = next.hosts.remove(e.name);
}

export function hostDied(next: Next, e: Of<'HostDied'>, meta: EventMeta): void {
  const host = must(next.hosts.get(e.host), `host ${e.host}`);
  const dead = { by: e.by, reason: e.reason, at: meta.time };
  next.hosts = next.hosts.set(e.host, { ...host, dead });
}

export function hostReturned(next: Next, e: Of<'HostReturned'>): void {
  const { dead: _dead, ...host } = must(next.hosts.get(e.host), `host ${e.host}`);
  next.hosts = next.hosts.set(e.host, host);
}

export function factsAccepted(next: Next, e: Of<'FactsAccepted'>): void {
  const host = must(next.hosts.get(e.host), `host ${e.host}`);
  const former = host.facts;
  const formerBoots =
    former === null || former.boot === e.boot
      ? host.formerBoots
      : [...host.formerBoots, former.boot].slice(-BOOTS_KEPT);
  const { abilities: before, ...rest } = host;
  const now = e.abilities ?? before ?? [];
  const able = now.length === 0 ? {} : { abilities: now };
  next.hosts = next.hosts.set(e.host, {
    ...rest,
    ...able,
    facts: { boot: e.boot, seq: e.seq },
    formerBoots,
  });
}

export function uplinkChanged(next: Next, e: Of<'UplinkChanged'>): void {
  const host = must(next.hosts.get(e.host), `host ${e.host}`);
  const name = `${e.switch} ${e.uplink}`;
  const others = host.downUplinks.filter((u) => u !== name);
  const downUplinks = e.up ? others : [...others, name].sort();
  const told = {
    ...(e.speed === undefined ? {} : { uplinkSpeeds: noted(host.uplinkSpeeds, name, e.speed) }),
    ...(e.mtu === undefined ? {} : { uplinkMtus: noted(host.uplinkMtus, name, e.mtu) }),
  };
  next.hosts = next.hosts.set(e.host, { ...host, downUplinks, ...told });
}

export function uplinkVlansMissed(next: Next, e: Of<'UplinkVlansMissed'>): void {
  const { uplinkVlans, ...host } = must(next.hosts.get(e.host), `host ${e.host}`);
  const { [`${e.switch} ${e.uplink}`]: _, ...others } = uplinkVlans ?? {};
  const now = e.missing.length === 0 ? others : noted(others, `${e.switch} ${e.uplink}`, e.missing);
  const told = Object.keys(now).length === 0 ? {} : { uplinkVlans: now };
  next.hosts = next.hosts.set(e.host, { ...host, ...told });
}

/** In one order, whoever spoke first: equal states are the same text. */
const noted = <T>(
  figures: Readonly<Record<string, T>> | undefined,
  uplink: string,
  figure: T,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries({ ...figures, [uplink]: figure }).sort(([a], [b]) => (a < b ? -1 : 1)));
