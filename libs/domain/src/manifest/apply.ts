import { detail, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type Command } from '../model/commands.js';
import { type Resource, type ResourceKind } from '../model/resources.js';
import { type State } from '../model/state.js';
import { checkResource } from './check.js';
import { define, type Item } from './define.js';
import { Faults } from './faults.js';
import { checkInContext } from './context.js';

/** What others may refer to comes first: the log then never names what it has not yet said. */
const ORDER: Readonly<Record<ResourceKind, number>> = {
  Host: 0,
  AddressSet: 1,
  PortSet: 1,
  DistributedSwitch: 2,
  StandardSwitch: 2,
  PortGroup: 3,
  Port: 4,
};

/**
 * One file, all or nothing. Everything is defined on the draft in dependency order whatever its order in the file,
 * and then judged as a whole: so references within the file hold, two groups may swap their VLANs, and every fault
 * is found at once.
 */
export function apply(draft: Draft, command: Extract<Command, { type: 'Apply' }>): Problem | null {
  const faults = new Faults();
  const items = command.resources.map((resource, i): Item => {
    return { resource, path: `resources[${i}](${resource.kind} ${resource.name})` };
  });
  checkTwice(items, faults);
  for (const { resource, path } of items) {
    faults.under('invalid', path, checkResource(resource));
    checkVersion(draft.state, resource, path, faults);
  }
  items.sort((a, b) => ORDER[a.resource.kind] - ORDER[b.resource.kind]);
  const changed = items.filter((item) => define(draft, item, faults));
  checkInContext(draft, changed, faults);
  return faults.problem();
}

/** Distributed and standard switches share their names, and so do sets of both kinds. */
function identity(resource: Resource): string {
  return `${NAMED_WITH[resource.kind] ?? resource.kind} ${resource.name}`;
}

const NAMED_WITH: Readonly<Partial<Record<ResourceKind, ResourceKind>>> = {
  StandardSwitch: 'DistributedSwitch',
  PortSet: 'AddressSet',
};

function checkTwice(items: readonly Item[], faults: Faults): void {
  if (items.length < 2) return;
  const seen = new Map<string, string>();
  for (const { resource, path } of items) {
    const first = seen.get(identity(resource));
    if (first !== undefined)
      faults.add('invalid', detail(path, resource.name, `is defined before, as ${first}`));
    else seen.set(identity(resource), path);
  }
}

export function currentVersion(state: State, kind: ResourceKind, name: string): number | undefined {
  switch (kind) {
    case 'Host':
      return state.hosts.get(name as never)?.version;
    case 'DistributedSwitch':
    case 'StandardSwitch':
      return state.switches.get(name as never)?.version;
    case 'PortGroup':
      return state.groups.get(name as never)?.version;
    case 'Port':
      return state.ports.get(name as never)?.version;
    case 'AddressSet':
    case 'PortSet':
      return state.sets.get(name as never)?.version;
  }
}

/** Version 0 says: it must not exist yet. */
function checkVersion(state: State, resource: Resource, path: string, faults: Faults): void {
  if (resource.version === undefined) return;
  const current = currentVersion(state, resource.kind, resource.name) ?? 0;
  if (current === resource.version) return;
  const expected = current === 0 ? '0: there is none' : `the current version ${current}`;
  faults.add('conflict', detail(`${path}.version`, resource.version, 'is not the current version', expected));
}
