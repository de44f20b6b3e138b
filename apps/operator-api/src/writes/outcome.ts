import { type State } from '#domain';
import { type Change } from '#contracts/http';
import { type Accepted } from '../ports.js';

/** What the leader itself named, where this copy has not read the commit. */
export function madeBy({ result }: Accepted): Change[] {
  const created =
    (kind: string) =>
    (name: string): Change => ({ kind, name, change: 'created', fields: [] });
  return [
    ...(result?.migration === undefined ? [] : [created('Migration')(result.migration)]),
    ...(result?.groups ?? []).map(created('PortGroup')),
    ...(result?.ports ?? []).map(created('Port')),
  ];
}

/** Version of a resource by `Kind/name`; 0 where there is none. */
export function versionOf(state: State, resource: string): number {
  const [kind, name = ''] = resource.split('/');
  if (kind === 'Host') return state.hosts.get(name as never)?.version ?? 0;
  if (kind === 'PortGroup') return state.groups.get(name as never)?.version ?? 0;
  if (kind === 'AddressSet' || kind === 'PortSet') return state.sets.get(name as never)?.version ?? 0;
  if (kind === 'Port') return state.ports.get(name as never)?.version ?? 0;
  return state.switches.get(name as never)?.version ?? 0;
}

export function unchangedOf(stated: readonly string[], changed: readonly Change[]): number {
  const names = new Set(changed.map((c) => `${c.kind}/${c.name}`));
  return stated.filter((name) => !names.has(name)).length;
}
