import { Set as Ids } from 'immutable';
import { type HostName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refusal, type Refuse } from '../decider/refusal.js';
import { type Port, type State } from '../model/state.js';
import { livePort } from '../port/bind.js';
import { admission } from './admission.js';
import { start } from './start.js';

/**
 * A port that is active elsewhere was plugged in here: somebody moves its guest without having told us. The same
 * machine runs, driven by what the agents see. A VM moves whole: every port of it that is active at the same source.
 */
export function observe(draft: Draft, host: HostName, port: Port, refuse: Refuse): void {
  const { active, connectee } = port;
  if (active === null || connectee === null) return;
  const ports = connectee.kind === 'vm' ? companions(draft, connectee.owner, active.host) : [port];
  const refusals = admission(draft.state, ports, active.host, host, true);
  if (refusals.length > 0) return refusals.forEach((r) => refuse({ ...r, code: `not-admitted:${r.code}` }));
  start(draft, {
    origin: 'observed',
    owner: connectee.owner,
    source: active.host,
    destination: host,
    ports,
    attempt: 0,
    requestedBy: `host ${host}`,
  });
}

/** Where the owner's ports are plugged in, in the order of names. */
export function hostsOfOwner(state: State, owner: string): readonly HostName[] {
  const hosts = new Set<HostName>();
  for (const id of state.byOwner.get(owner) ?? []) {
    const active = state.ports.get(id)?.active;
    if (active) hosts.add(active.host);
  }
  return [...hosts].sort();
}

export const onSeveralHosts = (owner: string, hosts: readonly HostName[]): Refusal =>
  refusal(
    'owner',
    'owner',
    owner,
    `has active ports on several hosts: ${hosts.join(', ')}`,
    'all on one host',
  );

export function companions(draft: Draft, owner: string, source: HostName): readonly Port[] {
  const ids = [...(draft.state.byOwner.get(owner) ?? Ids<PortId>())];
  return ids
    .map((id) => livePort(draft, id))
    .filter((p) => p.active?.host === source)
    .sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}
