import {
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type SetDocument,
  type SwitchDocument,
} from '#contracts';
import { NO_FEATURES } from '#domain';
import { type Desired } from '#compiler';
import { bandwidthOf } from '../cases/worlds.js';
import { membersOf } from '../model/sets.js';
import {
  type GroupSpec,
  type HostSpec,
  type PortSpec,
  type SetSpec,
  type SwitchSpec,
  type World,
} from '../model/world.js';

const REVISION = 5;

const base = (type: string, key: string) => ({
  type,
  schema: 1,
  key,
  lineage: '00000000-0000-4000-8000-000000000001',
  revision: REVISION,
});

/** The port of this name at a hypervisor; one that is plugged nowhere has a name that no device bears. */
export const ifaceIdOf = (device: string): string => `if-${device}`;

/** What the centre would send to a host. */
export function documentsOf(world: World, host: HostSpec): Desired {
  return {
    host: hostDocument(host),
    ports: host.ports.map((port) => portDocument(world, host, port)),
    switches: world.switches.map(switchDocument),
    groups: world.groups.map(groupDocument),
    sets: world.sets.map((set) => setDocument(world, set)),
  };
}

function hostDocument({ name, members, ports }: HostSpec): HostDocument {
  const doc = {
    ...base('host', `h.${name}.host`),
    host: name,
    switches: Object.entries(members).map(([sw, uplinks]) => ({ switch: sw, uplinks })),
    ports: ports.map(({ n }) => `p${n}`),
    groups: [],
    managementPath: null,
    maintenance: false,
    foreignFlows: 'report',
    acceptedFactSeq: null,
    migrations: [],
    confirm: null,
  };
  return doc as unknown as HostDocument;
}

function portDocument(world: World, { name: host }: HostSpec, port: PortSpec): PortDocument {
  const { n, mac, device, group, override } = port;
  const doc = {
    ...base('port', `h.${host}.port.p${n}`),
    port: `p${n}`,
    host,
    switch: world.groups.find((g) => g.name === group)?.switch,
    group,
    minRevision: REVISION,
    epoch: 1,
    role: 'active',
    connectee: { kind: 'vm', ifaceId: ifaceIdOf(device ?? `none-${n}`), mac, owner: `vm${n}` },
    override,
    handover: null,
    lease: null,
  };
  return doc as unknown as PortDocument;
}

function switchDocument(sw: SwitchSpec): SwitchDocument {
  const { name, kind, uplinks, privateVlans, mirrors, multicast, classLimits, policy } = sw;
  const bandwidth = bandwidthOf(classLimits);
  const features = { ...NO_FEATURES, privateVlans, mirrors, multicast, bandwidth };
  const doc = {
    ...base('switch', `s.switch.${name}`),
    switch: name,
    kind,
    uplinks,
    mtu: 1500,
    policy,
    ...features,
  };
  return doc as unknown as SwitchDocument;
}

function groupDocument({ name, switch: of, policy, overridable }: GroupSpec): GroupDocument {
  const doc = {
    ...base('group', `s.group.${name}`),
    group: name,
    switch: of,
    policy,
    overridable,
    binding: 'static',
    partitionPolicy: 'keep',
    startOffline: false,
    phase: 'open',
  };
  return doc as unknown as GroupDocument;
}

function setDocument(world: World, set: SetSpec): SetDocument {
  const { name, kind } = set;
  const places = (ports: Extract<SetSpec, { kind: 'ports' }>) =>
    membersOf(world, ports).map(({ switch: sw, policy: { vlan }, macs }) => ({
      switch: sw.name,
      vlan,
      macs,
    }));
  const members =
    set.kind === 'addresses' ? { kind, addresses: set.addresses } : { kind, places: places(set) };
  return { ...base('set', `s.set.${name}`), set: name, members } as unknown as SetDocument;
}
