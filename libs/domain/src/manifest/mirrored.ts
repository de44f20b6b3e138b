import { detail, type GroupName, type PortId } from '#kernel';
import { type State } from '../model/state.js';
import { type Mirror } from '../switch/spec.js';
import { type Faults } from './faults.js';

/** Something that a mirror names, and the field that does. */
interface Named {
  readonly what: string;
  readonly at: string;
  readonly of: 'port' | 'group';
}

/** Ports and groups that a mirror names for the first time must be of the switch; what was named before may be gone. */
export function checkMirrored(
  state: State,
  mirrors: readonly Mirror[],
  name: string,
  before: readonly Mirror[],
  path: string,
  faults: Faults,
): void {
  const known = new Set(before.flatMap(namedBy).map(({ what }) => what));
  mirrors.forEach((mirror, i) => {
    for (const { what, at, of } of namedBy(mirror)) {
      const found = of === 'port' ? state.ports.get(what as PortId) : state.groups.get(what as GroupName);
      if (found?.switch === name || known.has(what)) continue;
      faults.add('refused', detail(`${path}[${i}].${at}`, what, `is no ${of} of this switch`));
    }
  });
}

function namedBy({ sources, to }: Mirror): Named[] {
  const from = sources.flatMap((source, i): Named[] => {
    if ('port' in source) return [{ what: source.port, at: `sources[${i}].port`, of: 'port' }];
    if ('group' in source) return [{ what: source.group, at: `sources[${i}].group`, of: 'group' }];
    return [];
  });
  return 'port' in to ? [...from, { what: to.port, at: 'to.port', of: 'port' }] : from;
}
