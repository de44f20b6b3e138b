import { parseGroupName, parseIfaceId, parseUnicastMac, type Problem } from '#kernel';
import { type InterfaceFact } from '#domain';
import { type ObservedInterface } from '#openflow';

export interface SeenInterfaces {
  /** By iface-id; sorted. */
  readonly facts: readonly InterfaceFact[];
  /** Interfaces whose markings make no sense: reported, and closed because nothing is compiled for them. */
  readonly rejected: readonly { readonly name: string; readonly problem: Problem }[];
}

/**
 * What the hypervisors plugged, by the convention that libvirt, Neutron and OVN share: `iface-id`, `attached-mac`,
 * `vm-id`, and `port-profile` as the port group's name. Content comes from outside and is checked; an interface
 * without `iface-id` is nobody's vNIC and passes silently.
 */
export function interfaceFacts(
  observed: readonly ObservedInterface[],
  switchOfBridge: (bridge: string) => string | undefined,
): SeenInterfaces {
  const facts = new Map<string, InterfaceFact>();
  const rejected: { name: string; problem: Problem }[] = [];
  for (const seen of observed) {
    const ids = seen.externalIds;
    const onSwitch = switchOfBridge(seen.bridge);
    if (ids['iface-id'] === undefined || onSwitch === undefined) continue;
    const ifaceId = parseIfaceId(ids['iface-id'], `${seen.name}.external_ids:iface-id`);
    const mac = parseUnicastMac(ids['attached-mac'], `${seen.name}.external_ids:attached-mac`);
    const profile =
      ids['port-profile'] === undefined
        ? null
        : parseGroupName(ids['port-profile'], `${seen.name}.external_ids:port-profile`);
    if (!ifaceId.ok) rejected.push({ name: seen.name, problem: ifaceId.error });
    else if (!mac.ok) rejected.push({ name: seen.name, problem: mac.error });
    else if (profile !== null && !profile.ok) rejected.push({ name: seen.name, problem: profile.error });
    else {
      facts.set(ifaceId.value, {
        ifaceId: ifaceId.value,
        mac: mac.value,
        profile: profile === null ? null : profile.value,
        owner: ownerOf(ids, ifaceId.value),
        kind: ids['container-id'] === undefined ? 'vm' : 'container',
        switch: onSwitch,
      });
    }
  }
  return { facts: [...facts.values()].sort((a, b) => (a.ifaceId < b.ifaceId ? -1 : 1)), rejected };
}

/** A readable owner if the hypervisor gave one, else its id, else the interface itself. */
function ownerOf(ids: Readonly<Record<string, string>>, ifaceId: string): string {
  const owner = ids['vm-name'] ?? ids['vm-id'] ?? ids['container-id'] ?? ifaceId;
  return owner.slice(0, 128);
}

/** Edges between two inventories, as facts. */
export function interfaceEdges(
  before: readonly InterfaceFact[],
  after: readonly InterfaceFact[],
): { readonly plugged: readonly InterfaceFact[]; readonly unplugged: readonly string[] } {
  const old = new Map(before.map((i) => [i.ifaceId, JSON.stringify(i)]));
  const now = new Set(after.map((i) => i.ifaceId));
  return {
    plugged: after.filter((i) => old.get(i.ifaceId) !== JSON.stringify(i)),
    unplugged: before.filter((i) => !now.has(i.ifaceId)).map((i) => i.ifaceId),
  };
}
