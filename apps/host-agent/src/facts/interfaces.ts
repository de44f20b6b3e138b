import { equalJson, parseGroupName, parseIfaceId, parseUnicastMac, type Problem } from '#kernel';
import { type InterfaceFact } from '#domain';
import { type Telemetry } from '#contracts';
import { type Compiled } from '#compiler';
import { type ObservedInterface } from '#openflow';

export interface SeenInterfaces {
  /** By iface-id; sorted. Malformed markings are in it as they stand: the log refuses them, and so says why. */
  readonly facts: readonly InterfaceFact[];
  /** Interfaces whose markings make no sense: quarantined, because nothing is compiled for them. */
  readonly rejected: readonly {
    readonly name: string;
    readonly ifaceId: string;
    readonly problem: Problem;
  }[];
}

/** What a fact may carry of a marking that nobody will use. */
const LONGEST = 128;
const LONGEST_MAC = 64;

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
  const rejected: { name: string; ifaceId: string; problem: Problem }[] = [];
  for (const seen of observed) {
    const onSwitch = switchOfBridge(seen.bridge);
    if (seen.externalIds['iface-id'] === undefined || onSwitch === undefined) continue;
    const fact = factOf(seen.externalIds, onSwitch);
    const fault = faultOf(seen);
    if (fault !== null) rejected.push({ name: seen.name, ifaceId: fact.ifaceId, problem: fault });
    // One whose markings make sense is not hidden by one that bears the same id without.
    if (fault === null || !facts.has(fact.ifaceId)) facts.set(fact.ifaceId, fact);
  }
  return { facts: [...facts.values()].sort((a, b) => (a.ifaceId < b.ifaceId ? -1 : 1)), rejected };
}

type Marks = Readonly<Record<string, string>>;

function factOf(ids: Marks, onSwitch: string): InterfaceFact {
  const ifaceId = (ids['iface-id'] ?? '').slice(0, LONGEST);
  const mac = parseUnicastMac(ids['attached-mac']);
  return {
    ifaceId,
    mac: mac.ok ? mac.value : (ids['attached-mac'] ?? '').slice(0, LONGEST_MAC),
    profile: ids['port-profile']?.slice(0, LONGEST) ?? null,
    owner: ownerOf(ids, ifaceId),
    kind: ids['container-id'] === undefined ? 'vm' : 'container',
    switch: onSwitch,
  };
}

function faultOf({ name, externalIds: ids }: ObservedInterface): Problem | null {
  const at = (key: string): string => `${name}.external_ids:${key}`;
  const ifaceId = parseIfaceId(ids['iface-id'], at('iface-id'));
  if (!ifaceId.ok) return ifaceId.error;
  const mac = parseUnicastMac(ids['attached-mac'], at('attached-mac'));
  if (!mac.ok) return mac.error;
  const profile = ids['port-profile'];
  const group = profile === undefined ? null : parseGroupName(profile, at('port-profile'));
  return group === null || group.ok ? null : group.error;
}

/** A readable owner if the hypervisor gave one, else its id, else the interface itself. */
function ownerOf(ids: Marks, ifaceId: string): string {
  const owner = ids['vm-name'] ?? ids['vm-id'] ?? ids['container-id'] ?? ifaceId;
  return owner.slice(0, 128);
}

/** Edges between two inventories, as facts. */
export function interfaceEdges(
  before: readonly InterfaceFact[],
  after: readonly InterfaceFact[],
): { readonly plugged: readonly InterfaceFact[]; readonly unplugged: readonly string[] } {
  const old = new Map(before.map((i) => [i.ifaceId, i]));
  const now = new Set(after.map((i) => i.ifaceId));
  return {
    plugged: after.filter((i) => !equalJson(old.get(i.ifaceId), i)),
    unplugged: before.filter((i) => !now.has(i.ifaceId)).map((i) => i.ifaceId),
  };
}

/** What is known of each interface that is somebody's, or to be. */
export function interfaceStates(
  interfaces: readonly ObservedInterface[],
  compiled: Pick<Compiled, 'bindings' | 'quarantined'> | null,
): Telemetry['interfaces'] {
  const ports = new Map(compiled?.bindings.map((b) => [b.ifaceName, b]));
  const quarantined = new Set(compiled?.quarantined.map((i) => i.name));
  return interfaces.flatMap((i) => {
    const binding = ports.get(i.name);
    const ifaceId = i.externalIds['iface-id'];
    if (binding === undefined && ifaceId === undefined) return [];
    const state =
      binding?.open === true ? 'open' : quarantined.has(i.name) ? 'quarantined' : (binding?.role ?? 'closed');
    return [
      { name: i.name, ifaceId: ifaceId?.slice(0, LONGEST) ?? null, port: binding?.port ?? null, state },
    ];
  });
}
