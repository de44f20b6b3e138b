import { assertNever, detail, type ProblemDetail } from '#kernel';
import { type GroupResource, type Resource, type SwitchResource } from '../model/resources.js';
import { checkPolicy } from '../policy/check.js';
import { checkAddressSet, checkPortSet } from '../set/check.js';
import { checkFeatures } from '../switch/check.js';
import { MOST_STATIC_PORTS } from './shapes.js';

/** What is wrong with a resource by itself: the same input never succeeds, whatever the state. */
export function checkResource(resource: Resource): readonly ProblemDetail[] {
  const out: ProblemDetail[] = [];
  switch (resource.kind) {
    case 'Host':
      break;
    case 'DistributedSwitch':
    case 'StandardSwitch':
      checkSwitch(resource, out);
      break;
    case 'PortGroup':
      checkGroup(resource, out);
      break;
    case 'Port':
      checkPolicy(resource.spec.override, 'spec.override', out);
      break;
    case 'AddressSet':
      checkAddressSet(resource, out);
      break;
    case 'PortSet':
      checkPortSet(resource, out);
      break;
    default:
      assertNever(resource);
  }
  return out;
}

function checkSwitch({ kind, spec }: SwitchResource, out: ProblemDetail[]): void {
  spec.uplinks.forEach((uplink, i) => {
    if (spec.uplinks.indexOf(uplink) !== i) {
      out.push(detail(`spec.uplinks[${i}]`, uplink, 'is listed twice', 'each uplink name once'));
    }
  });
  if (!Number.isInteger(spec.mtu) || spec.mtu < 576 || spec.mtu > 9000) {
    out.push(detail('spec.mtu', spec.mtu, 'is not an MTU', 'a whole number from 576 to 9000'));
  }
  const hosts = Object.entries(spec.members) as [string, Readonly<Record<string, string>>][];
  if (kind === 'StandardSwitch' && hosts.length !== 1) {
    out.push(detail('spec.members', Object.keys(spec.members), 'is not one host', 'exactly one host'));
  }
  for (const [host, uplinks] of hosts) {
    const carries = new Map<string, string>();
    for (const [uplink, nic] of Object.entries(uplinks)) {
      const path = `spec.members.${host}.${uplink}`;
      if (!spec.uplinks.includes(uplink)) {
        const known =
          spec.uplinks.length === 0 ? 'the switch names none' : `one of ${spec.uplinks.join(', ')}`;
        out.push(detail(path, uplink, 'is not an uplink of the switch', known));
      }
      const other = carries.get(nic);
      if (other !== undefined)
        out.push(detail(path, nic, `is the pNIC of ${other} already`, 'each pNIC once'));
      carries.set(nic, uplink);
    }
  }
  checkFeatures(spec, 'spec', out);
  checkPolicy(spec.policy, 'spec.policy', out);
}

function checkGroup({ spec }: GroupResource, out: ProblemDetail[]): void {
  checkPolicy(spec.policy, 'spec.policy', out);
  if (!Number.isInteger(spec.ports) || spec.ports < 0 || spec.ports > MOST_STATIC_PORTS) {
    const expected = `a whole number from 0 to ${MOST_STATIC_PORTS}`;
    out.push(detail('spec.ports', spec.ports, 'is not a number of ports', expected));
  }
  spec.overridable.forEach((field, i) => {
    if (spec.overridable.indexOf(field) !== i) {
      out.push(detail(`spec.overridable[${i}]`, field, 'is listed twice', 'each field once'));
    }
  });
}
