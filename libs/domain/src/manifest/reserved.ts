import { Set as Ids } from 'immutable';
import { detail, type GroupName, type HostName, type PortId, type SwitchName } from '#kernel';
import { overPromised } from '../bandwidth/reservations.js';
import { type Draft } from '../decider/draft.js';
import { type Group, type State, type Switch } from '../model/state.js';
import { hostsOf } from '../state/next.js';
import { type Faults } from './faults.js';

/** No host may be made to promise its ports more than it has. What it promised before it came to have less stands. */
export function checkReserved(
  { state, before }: Draft,
  name: SwitchName,
  hosts: Iterable<HostName>,
  path: string,
  faults: Faults,
): void {
  const sw = state.switches.get(name);
  if (sw === undefined || !mayReserve(state, sw)) return;
  const old = before.switches.get(name);
  for (const host of new Set(hosts)) {
    const over = overPromised(state, sw, host);
    if (over === null) continue;
    const was = old && overPromised(before, old, host);
    if (was && over.total <= was.total) continue;
    faults.add('refused', detail(path, over.total, `host ${host} ${over.reason}`, over.expected));
  }
}

export const hostsOfGroup = (state: State, name: GroupName): HostName[] =>
  [...(state.byGroup.get(name) ?? Ids<PortId>())].flatMap((id) => {
    const port = state.ports.get(id);
    return port === undefined ? [] : [...hostsOf(port)];
  });

/** Most switches reserve nothing, and then no port has to be looked at. */
function mayReserve(state: State, sw: Switch): boolean {
  const says = ({ policy }: Pick<Group, 'policy'>): boolean => (policy.bandwidth?.reservation ?? 0) > 0;
  if (says(sw)) return true;
  for (const group of state.groups.values())
    if (group.switch === sw.name && (says(group) || group.overridable.includes('bandwidth'))) return true;
  return false;
}
