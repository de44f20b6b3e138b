import { detail, parseCidr, type ProblemDetail, type SetName } from '#kernel';
import { type AddressSetResource, type PortSetResource } from '../model/resources.js';
import { type State } from '../model/state.js';
import { type Filter } from '../policy/filter.js';
import { setsNamedBy } from './members.js';

type Out = ProblemDetail[];

/** Sets of each kind that one host can tell apart on a switch: a bit each. */
export const MOST_SETS_IN_USE = 32;

/** What is wrong with a set by itself. */
export function checkAddressSet({ spec }: AddressSetResource, out: Out): void {
  const seen = new Map<string, string>();
  spec.addresses.forEach((text, i) => {
    const cidr = parseCidr(text, `spec.addresses[${i}]`);
    if (!cidr.ok) return void out.push(...cidr.error.details);
    const { family, address, prefix } = cidr.value;
    const key = `${family} ${address} ${prefix}`;
    const first = seen.get(key);
    if (first !== undefined)
      out.push(detail(`spec.addresses[${i}]`, text, `is listed before, as ${first}`, 'each prefix once'));
    else seen.set(key, text);
  });
}

export function checkPortSet({ spec }: PortSetResource, out: Out): void {
  for (const list of ['groups', 'ports', 'owners'] as const) {
    const seen = new Set<string>();
    spec[list].forEach((name, i) => {
      if (seen.has(name)) out.push(detail(`spec.${list}[${i}]`, name, 'is listed twice', 'each member once'));
      seen.add(name);
    });
  }
}

/** Members that can't be meant: there is nothing of that name. Owners come and go, so any may be listed. */
export function checkMembers(state: State, { spec }: PortSetResource, out: Out): void {
  spec.groups.forEach((group, i) => {
    if (!state.groups.has(group)) out.push(detail(`spec.groups[${i}]`, group, 'is not a known port group'));
  });
  spec.ports.forEach((id, i) => {
    const port = state.ports.get(id);
    if (port === undefined || port.deleted) out.push(detail(`spec.ports[${i}]`, id, 'is not a known port'));
  });
}

/** Sets that the rules of a filter name. */
export function checkSetsOf(state: State, filter: Filter | undefined, path: string, out: Out): void {
  if (filter === undefined) return;
  filter.rules.forEach(({ match }, i) => {
    for (const side of ['srcSet', 'dstSet'] as const) {
      const name = match[side];
      if (name === undefined || state.sets.has(name)) continue;
      const at = `${path}.rules[${i}].match.${side}`;
      out.push(detail(at, name, 'is not a known set', 'the name of an AddressSet or a PortSet'));
    }
  });
  for (const kind of ['addresses', 'ports'] as const) {
    const names = setsNamedBy({ filter }).filter((name: SetName) => state.sets.get(name)?.kind === kind);
    if (names.length <= MOST_SETS_IN_USE) continue;
    const what = kind === 'addresses' ? 'address sets' : 'sets of ports';
    const reason = `names ${names.length} ${what}: more than a host can tell apart`;
    out.push(detail(`${path}.rules`, names.length, reason, `at most ${MOST_SETS_IN_USE}`));
  }
}
