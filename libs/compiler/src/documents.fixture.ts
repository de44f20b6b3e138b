import { type PolicyPatch } from '#domain';
import { fullPolicy, NO_FEATURES } from '#domain/on-host';
import {
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type SetDocument,
  type SwitchDocument,
} from '#contracts';
import { type ObservedInterface } from '#openflow';
import { bridgeName } from './bridge-name.js';
import { allotSlots, slotKey } from './slots.js';
import { type Desired, type LocalFacts } from './types.js';

/** Words for tests: documents are built loosely here, policies in their short form, and are what the contracts say. */
const base = (type: string, key: string) => ({
  type,
  schema: 1,
  key,
  lineage: '00000000-0000-4000-8000-000000000001',
  revision: 5,
});

export const mac = (n: number): string => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
export const TOKEN = '83:5e:c2:e7:00:01';

export interface PortSpec {
  readonly n: number;
  readonly group?: string;
  readonly switch?: string;
  readonly role?: 'active' | 'standby' | 'retired';
  readonly epoch?: number;
  readonly override?: PolicyPatch;
  readonly token?: string | null;
  readonly minRevision?: number;
  readonly mac?: string;
}

export function portDoc(host: string, spec: PortSpec): PortDocument {
  const { n, token = null, epoch = 1 } = spec;
  return {
    ...base('port', `h.${host}.port.p${n}`),
    port: `p${n}`,
    host,
    switch: spec.switch ?? 'lan',
    group: spec.group ?? 'web',
    minRevision: spec.minRevision ?? 5,
    epoch,
    role: spec.role ?? 'active',
    connectee: { kind: 'vm', ifaceId: `if-${n}`, mac: spec.mac ?? mac(n), owner: `vm${n}` },
    override: fullPolicy(spec.override ?? {}),
    handover: token === null ? null : { migration: 'm1', token, epoch: epoch + 1 },
    lease: null,
  } as unknown as PortDocument;
}

export function groupDoc(group: string, policy: PolicyPatch = {}, of = 'lan'): GroupDocument {
  return {
    ...base('group', `s.group.${group}`),
    group,
    switch: of,
    policy: fullPolicy(policy),
    overridable: [
      'vlan',
      'blocked',
      'promiscuous',
      'macChanges',
      'forgedTransmits',
      'shapingIn',
      'shapingOut',
      'filter',
      'macs',
      'addresses',
      'macLearning',
      'ipfix',
      'bandwidth',
    ],
    binding: 'static',
    partitionPolicy: 'keep',
    startOffline: false,
    phase: 'open',
  } as unknown as GroupDocument;
}

export function switchDoc(
  name = 'lan',
  uplinks: string[] = ['uplink1'],
  policy: PolicyPatch = {},
): SwitchDocument {
  const doc = {
    ...base('switch', `s.switch.${name}`),
    switch: name,
    kind: 'distributed',
    uplinks,
    mtu: 1500,
    policy: fullPolicy(policy),
    ...NO_FEATURES,
  };
  return doc as unknown as SwitchDocument;
}

export const addressSet = (set: string, addresses: readonly string[], revision = 5): SetDocument =>
  ({
    ...base('set', `s.set.${set}`),
    revision,
    set,
    members: { kind: 'addresses', addresses },
  }) as unknown as SetDocument;

/** Of the MACs of ports, all in one VLAN of `lan` unless it is said otherwise. */
export const portSet = (set: string, macs: readonly string[], vlan: object = { mode: 'access', id: 100 }) =>
  ({
    ...base('set', `s.set.${set}`),
    set,
    members: { kind: 'ports', places: macs.length === 0 ? [] : [{ switch: 'lan', vlan, macs }] },
  }) as unknown as SetDocument;

export interface HostSpec {
  readonly host?: string;
  /** switch → uplink → device. */
  readonly switches?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly docs?: readonly SwitchDocument[];
  readonly groups?: readonly GroupDocument[];
  readonly sets?: readonly SetDocument[];
  readonly ports: readonly PortSpec[];
}

/** A group of VLAN 100 named after its mode, whose ports spread over two uplinks. */
export const spread = (mode: 'port' | 'mac' | 'ip-hash'): GroupDocument =>
  groupDoc(mode, {
    vlan: { mode: 'access', id: 100 },
    teaming: {
      mode,
      active: ['uplink1', 'uplink2'],
      standby: [],
      failback: true,
      notify: false,
      detection: 'link',
    },
  } as never);

export function desiredOf(spec: HostSpec): Desired {
  const host = spec.host ?? 'h1';
  const switches = spec.switches ?? { lan: { uplink1: 'eth0' } };
  const hostDoc = {
    ...base('host', `h.${host}.host`),
    host,
    switches: Object.entries(switches).map(([name, uplinks]) => ({ switch: name, uplinks })),
    ports: spec.ports.map((p) => `p${p.n}`),
    groups: [],
    managementPath: null,
    maintenance: false,
    foreignFlows: 'report',
    acceptedFactSeq: null,
    migrations: [],
    confirm: null,
  };
  return {
    host: hostDoc as unknown as HostDocument,
    ports: spec.ports.map((p) => portDoc(host, p)),
    switches: spec.docs ?? [switchDoc()],
    sets: spec.sets ?? [],
    groups: spec.groups ?? [groupDoc('web', { vlan: { mode: 'access', id: 100 } as never })],
  };
}

/** Uplinks at numbers from 100, vNICs `tap<n>` at their port's number. */
export function factsOf(desired: Desired, more: Partial<LocalFacts> = {}): LocalFacts {
  const uplinks = desired.host.switches.flatMap((s) =>
    Object.values(s.uplinks).map((device, i) => ({
      ...iface(bridgeName(s.switch), device, 100 + i),
      mac: `02:00:00:00:aa:0${i}`,
      lacpCurrent: true,
    })),
  );
  const taps = desired.ports.map((p) => {
    const n = Number(p.port.slice(1));
    return iface(bridgeName(p.switch), `tap${n}`, n, {
      'iface-id': `if-${n}`,
      'attached-mac': p.connectee?.mac ?? '',
    });
  });
  return {
    host: desired.host.host,
    round: 7,
    interfaces: [...uplinks, ...taps],
    slots: allotSlots(
      {},
      desired.ports.map((p) => slotKey(p.port, p.epoch)),
    ),
    activations: [],
    handedOver: [],
    ...more,
  };
}

export const iface = (
  bridge: string,
  name: string,
  ofport: number,
  externalIds: Record<string, string> = {},
): ObservedInterface => ({ bridge, name, ofport, linkUp: true, externalIds, marks: {}, type: '' });
