import { equalJson } from '#kernel';
import { specOfHost, specOfSet, type DomainEvent, type State } from '#domain';
import { type Change } from '#contracts/http';
import { groupView, portView, switchView } from '../views/resources.js';

interface Touched {
  readonly kind: string;
  readonly name: string;
}

/** What a commit did, object by object: what its events touch, compared before and after. */
export function changesOf(events: readonly DomainEvent[], before: State, after: State): Change[] {
  const touched = new Map<string, Touched>();
  for (const event of events) {
    const t = touchedBy(event, after, before);
    if (t !== undefined) touched.set(`${t.kind}/${t.name}`, t);
  }
  const changes: Change[] = [];
  for (const { kind, name } of touched.values()) {
    const [a, b] = [intentOf(before, kind, name), intentOf(after, kind, name)];
    if (a === undefined && b === undefined) continue;
    if (a === undefined) changes.push({ kind, name, change: 'created', fields: [] });
    else if (b === undefined) changes.push({ kind, name, change: 'deleted', fields: [] });
    else {
      const fields = differing(a, b);
      if (fields.length > 0) changes.push({ kind, name, change: 'changed', fields });
    }
  }
  return changes;
}

function touchedBy(event: DomainEvent, after: State, before: State): Touched | undefined {
  switch (event.type) {
    case 'HostDefined':
    case 'HostRemoved':
      return { kind: 'Host', name: event.name };
    case 'SwitchDefined':
    case 'SwitchRemoved': {
      const kind = (after.switches.get(event.name) ?? before.switches.get(event.name))?.kind;
      return { kind: kind === 'standard' ? 'StandardSwitch' : 'DistributedSwitch', name: event.name };
    }
    case 'GroupDefined':
    case 'GroupClosing':
    case 'GroupDeleted':
      return { kind: 'PortGroup', name: event.name };
    case 'AddressSetDefined':
      return { kind: 'AddressSet', name: event.name };
    case 'PortSetDefined':
      return { kind: 'PortSet', name: event.name };
    case 'SetRemoved':
      return {
        kind: before.sets.get(event.name)?.kind === 'ports' ? 'PortSet' : 'AddressSet',
        name: event.name,
      };
    case 'MigrationStarted':
      return { kind: 'Migration', name: event.migration.id };
    case 'MigrationAdvanced':
      return { kind: 'Migration', name: event.migration };
    case 'EvacuationStarted':
      return { kind: 'Evacuation', name: event.evacuation.id };
    case 'EvacuationAdvanced':
      return { kind: 'Evacuation', name: event.evacuation };
    default:
      return 'port' in event ? { kind: 'Port', name: event.port } : undefined;
  }
}

/** The part of an object that operators decide on, as one plain value; undefined where there is none. */
function intentOf(state: State, kind: string, name: string): unknown {
  switch (kind) {
    case 'Host': {
      const host = state.hosts.get(name as never);
      return host && specOfHost(host);
    }
    case 'DistributedSwitch':
    case 'StandardSwitch': {
      const s = state.switches.get(name as never);
      return s && { kind: s.kind, ...switchView(state, s).spec };
    }
    case 'PortGroup': {
      const group = state.groups.get(name as never);
      return group && { phase: group.phase, ...groupView(state, group).spec };
    }
    case 'AddressSet':
    case 'PortSet': {
      const set = state.sets.get(name as never);
      return set && specOfSet(set);
    }
    case 'Migration': {
      const m = state.migrations.get(name as never);
      return m && { phase: m.phase };
    }
    case 'Evacuation': {
      const e = state.evacuations.get(name as never);
      return e && { phase: e.phase };
    }
    default: {
      const port = state.ports.get(name as never);
      if (port === undefined || port.deleted) return undefined;
      const { spec, status } = portView(port);
      const { active, standby, connectee } = status;
      return {
        group: port.group,
        ...spec,
        connectee,
        active: active?.host ?? null,
        standby: standby?.host ?? null,
      };
    }
  }
}

/** Dotted paths of the leaves that differ; lists count as one leaf. */
export function differing(a: unknown, b: unknown, path = ''): string[] {
  if (equalJson(a, b)) return [];
  if (!isMap(a) || !isMap(b)) return [path];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return keys.flatMap((key) =>
    differing(a[key] ?? null, b[key] ?? null, path === '' ? key : `${path}.${key}`),
  );
}

const isMap = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);
