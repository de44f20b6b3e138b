import {
  parseGroupName,
  parseHostName,
  parsePortId,
  parseSetName,
  parseSwitchName,
  type HostName,
} from '#kernel';
import {
  type AddressSetResource,
  type GroupResource,
  type HostResource,
  type PortResource,
  type PortSetResource,
  type ResourceKind,
  type SwitchResource,
} from '../model/resources.js';
import { prefix } from '../policy/filter-shape.js';
import { policyFieldShape, policyPatchShape, uplinkName } from '../policy/shape.js';
import { featureShapes } from '../switch/shape.js';
import {
  bool,
  dictionary,
  filled,
  int,
  leaf,
  list,
  nullable,
  object,
  oneOf,
  parsed,
  text,
  withDefault,
  type Shape,
} from '../shape/shape.js';

/** Guests that leave a host at once, and that arrive at it, where nobody says otherwise. */
export const USUAL_MIGRATIONS = 2;
const MOST_MIGRATIONS = 1000;

/** A Linux device name. */
const device: Shape<string> = leaf(
  'a device name of at most 15 characters, as in eth1',
  (v) => typeof v === 'string' && /^[^\s/:]{1,15}$/.test(v) && v !== '.' && v !== '..',
);

export const hostSpecShape: Shape<HostResource['spec']> = object<HostResource['spec']>({
  labels: withDefault(dictionary(filled(63), text(255)), {}),
  managementPath: withDefault(nullable(device), null),
  preload: withDefault(list(parsed(parseGroupName), 10_000), []),
  maintenance: withDefault(bool, false),
  migrationLimit: withDefault(int(1, MOST_MIGRATIONS), USUAL_MIGRATIONS),
  foreignFlows: withDefault(oneOf('report', 'remove'), 'report'),
});

type Members = SwitchResource['spec']['members'];

export const switchSpecShape: Shape<SwitchResource['spec']> = object<SwitchResource['spec']>({
  uplinks: withDefault(list(uplinkName, 64), []),
  mtu: withDefault(int(576, 9000), 1500),
  policy: withDefault(policyPatchShape, {}),
  members: withDefault(
    dictionary(parsed(parseHostName), dictionary(uplinkName, device)) as unknown as Shape<Members>,
    {} as Record<HostName, never>,
  ),
  ...featureShapes,
});

/** As many as VDS allows in one group from the start; auto-expand may add to them. */
export const MOST_STATIC_PORTS = 8192;

export const groupSpecShape: Shape<GroupResource['spec']> = object<GroupResource['spec']>({
  switch: parsed(parseSwitchName),
  policy: withDefault(policyPatchShape, {}),
  overridable: withDefault(list(policyFieldShape, 64), []),
  binding: withDefault(oneOf('static', 'ephemeral'), 'static'),
  ports: withDefault(int(0, MOST_STATIC_PORTS), 8),
  autoExpand: withDefault(bool, true),
  autoShrink: withDefault(bool, false),
  resetAtDisconnect: withDefault(bool, false),
  partitionPolicy: withDefault(oneOf('keep', 'isolate'), 'keep'),
  startOffline: withDefault(bool, false),
});

export const portSpecShape: Shape<PortResource['spec']> = object<PortResource['spec']>({
  override: withDefault(policyPatchShape, {}),
});

/** Members of one set, of whatever kind: as many as fit into the document that tells them. */
export const MOST_MEMBERS = 10_000;

export const addressSetSpecShape: Shape<AddressSetResource['spec']> = object<AddressSetResource['spec']>({
  addresses: withDefault(list(prefix, MOST_MEMBERS), []),
});

export const portSetSpecShape: Shape<PortSetResource['spec']> = object<PortSetResource['spec']>({
  groups: withDefault(list(parsed(parseGroupName), MOST_MEMBERS), []),
  ports: withDefault(list(parsed(parsePortId), MOST_MEMBERS), []),
  owners: withDefault(list(filled(), MOST_MEMBERS), []),
});

/** Per kind: how it is named and what its spec looks like. */
export const KINDS = {
  Host: { name: parsed<string>(parseHostName), spec: hostSpecShape },
  DistributedSwitch: { name: parsed<string>(parseSwitchName), spec: switchSpecShape },
  StandardSwitch: { name: parsed<string>(parseSwitchName), spec: switchSpecShape },
  PortGroup: { name: parsed<string>(parseGroupName), spec: groupSpecShape },
  Port: { name: parsed<string>(parsePortId), spec: portSpecShape },
  AddressSet: { name: parsed<string>(parseSetName), spec: addressSetSpecShape },
  PortSet: { name: parsed<string>(parseSetName), spec: portSetSpecShape },
} as const satisfies Record<ResourceKind, { name: Shape<string>; spec: Shape<never> | Shape<unknown> }>;

export const RESOURCE_KINDS = Object.keys(KINDS) as readonly ResourceKind[];
