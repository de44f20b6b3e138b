import { assertNever, detail, equalJson } from '#kernel';
import { specOfHost } from '../host/spec.js';
import { type Draft } from '../decider/draft.js';
import { connectedCount, fitPorts } from '../group/ports.js';
import {
  type AddressSetResource,
  type GroupResource,
  type HostResource,
  type PortResource,
  type PortSetResource,
  type Resource,
  type SwitchResource,
} from '../model/resources.js';
import { type Group, type MemberSet, type Switch } from '../model/state.js';
import { same } from '../policy/same.js';
import { featuresOf } from '../switch/spec.js';
import { type Faults } from './faults.js';

/** A resource of the file with where it stands in it. */
export interface Item {
  readonly resource: Resource;
  /** `resources[2](PortGroup web)` */
  readonly path: string;
}

export function specOfSwitch(s: Switch): SwitchResource['spec'] {
  const { uplinks, mtu, policy, members } = s;
  return { uplinks, mtu, policy, members, ...featuresOf(s) };
}

export function specOfGroup(g: Group): GroupResource['spec'] {
  return {
    switch: g.switch,
    policy: g.policy,
    overridable: g.overridable,
    binding: g.binding,
    ports: g.ports,
    autoExpand: g.autoExpand,
    autoShrink: g.autoShrink,
    resetAtDisconnect: g.resetAtDisconnect,
    partitionPolicy: g.partitionPolicy,
    startOffline: g.startOffline,
  };
}

type SetResource = AddressSetResource | PortSetResource;

export function specOfSet(set: MemberSet): SetResource['spec'] {
  if (set.kind === 'addresses') return { addresses: set.addresses };
  const { groups, ports, owners } = set;
  return { groups, ports, owners };
}

/** Says the events that make one resource so; equal ones say nothing. True when something changed. */
export function define(draft: Draft, { resource, path }: Item, faults: Faults): boolean {
  switch (resource.kind) {
    case 'Host':
      return defineHost(draft, resource);
    case 'DistributedSwitch':
    case 'StandardSwitch':
      return defineSwitch(draft, resource, path, faults);
    case 'PortGroup':
      return defineGroup(draft, resource, path, faults);
    case 'Port':
      return definePort(draft, resource, path, faults);
    case 'AddressSet':
    case 'PortSet':
      return defineSet(draft, resource, path, faults);
    default:
      return assertNever(resource);
  }
}

function defineHost(draft: Draft, { name, spec }: HostResource): boolean {
  const before = draft.state.hosts.get(name);
  if (before !== undefined && equalJson(specOfHost(before), spec)) return false;
  draft.emit({ type: 'HostDefined', name, spec });
  return true;
}

function defineSwitch(draft: Draft, r: SwitchResource, path: string, faults: Faults): boolean {
  const kind = r.kind === 'StandardSwitch' ? 'standard' : 'distributed';
  const before = draft.state.switches.get(r.name);
  if (before !== undefined && before.kind !== kind) {
    const reason = `would make a ${kind} switch of the ${before.kind} switch ${r.name}`;
    faults.add('refused', detail(`${path}.kind`, r.kind, reason, 'another name, or the same kind'));
    return false;
  }
  if (before !== undefined && equalJson(specOfSwitch(before), r.spec)) return false;
  draft.emit({ type: 'SwitchDefined', name: r.name, kind, spec: r.spec });
  return true;
}

function defineGroup(draft: Draft, { name, spec }: GroupResource, path: string, faults: Faults): boolean {
  const before = draft.state.groups.get(name);
  if (before !== undefined && equalJson(specOfGroup(before), spec)) return false;
  if (before?.phase === 'closing') {
    faults.add('refused', detail(path, name, 'is closing', 'a group that is not being deleted'));
    return false;
  }
  if (before !== undefined && !mayChange(draft, before, spec, path, faults)) return false;
  draft.emit({ type: 'GroupDefined', name, spec });
  const group = draft.state.groups.get(name);
  if (group !== undefined) fitPorts(draft, group, before);
  return true;
}

function mayChange(
  draft: Draft,
  before: Group,
  spec: GroupResource['spec'],
  path: string,
  faults: Faults,
): boolean {
  const connected = connectedCount(draft, before.name);
  if (connected === 0) return true;
  const held = `while ${connected} ports are connected`;
  const refuse = (field: string, value: unknown, reason: string, expected: string): void => {
    faults.add('refused', detail(`${path}.spec.${field}`, value, reason, expected));
  };
  const already = faults.count;
  if (spec.switch !== before.switch) refuse('switch', spec.switch, `may not change ${held}`, before.switch);
  if (spec.binding !== before.binding)
    refuse('binding', spec.binding, `may not change ${held}`, before.binding);
  const shrinks = spec.ports < before.ports || (spec.binding === 'ephemeral' && before.ports === 0);
  const bounded = spec.binding === 'static' || spec.ports > 0;
  if (shrinks && bounded && spec.ports < connected) {
    refuse('ports', spec.ports, `is below the ${connected} connected ports`, `at least ${connected}`);
  }
  return faults.count === already;
}

function defineSet(draft: Draft, r: SetResource, path: string, faults: Faults): boolean {
  const before = draft.state.sets.get(r.name);
  const isOther = before !== undefined && (before.kind === 'ports') !== (r.kind === 'PortSet');
  if (isOther) {
    const is = before.kind === 'ports' ? 'a set of ports' : 'an address set';
    faults.add('refused', detail(`${path}.kind`, r.kind, `would make another of ${r.name}, which is ${is}`));
    return false;
  }
  if (before !== undefined && equalJson(specOfSet(before), r.spec)) return false;
  if (r.kind === 'PortSet') draft.emit({ type: 'PortSetDefined', name: r.name, spec: r.spec });
  else draft.emit({ type: 'AddressSetDefined', name: r.name, spec: r.spec });
  return true;
}

function definePort(draft: Draft, { name, spec }: PortResource, path: string, faults: Faults): boolean {
  const port = draft.state.ports.get(name);
  if (port === undefined || port.deleted) {
    faults.add('not-found', detail(path, name, 'is not a known port'));
    return false;
  }
  if (equalJson(port.override, spec.override)) return false;
  const before = faults.count;
  const overridable = draft.state.groups.get(port.group)?.overridable ?? [];
  for (const [field, value] of Object.entries(spec.override)) {
    // What was stored while its group allowed it may stay; it is ignored, and shown so.
    const kept = same(port.override[field as keyof typeof port.override], value);
    if (kept || (overridable as readonly string[]).includes(field)) continue;
    const allowed = overridable.length === 0 ? 'none' : overridable.join(', ');
    const reason = `may not be overridden in group ${port.group}`;
    faults.add('refused', detail(`${path}.spec.override.${field}`, value, reason, `one of: ${allowed}`));
  }
  if (faults.count > before) return false;
  draft.emit({ type: 'PortOverridden', port: name, override: spec.override });
  return true;
}
