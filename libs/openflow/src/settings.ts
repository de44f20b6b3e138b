import {
  type BridgeObservation,
  type BridgePort,
  type BridgeState,
  type ObservedInterface,
} from './dataplane.js';
import { PLUGGED_MARK, SWITCH_MARK } from './plan.js';
import {
  type BridgeSettings,
  type KeptSettings,
  type OwnDevice,
  type PortSettings,
  type WantedRow,
} from './rows.js';

/** Every version, so that the witness tools of any age can talk to the bridge; ours is the last. */
export const BRIDGE_PROTOCOLS: readonly string[] = [10, 11, 12, 13, 14, 15].map((v) => `OpenFlow${v}`);
/** In-band control would add hidden flows that open a path around the policy. Other keys are not ours. */
export const BRIDGE_CONFIG: Readonly<Record<string, string>> = { 'disable-in-band': 'true' };

/** Key of a port's `other_config`: how often LACP is spoken, `fast` or `slow`. */
const LACP_TIME = 'lacp-time';

/** A setting that is not as it must be. */
export interface SettingDifference {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

const NOTHING = 'absent';
const shown = (value: unknown): string =>
  value === undefined ? NOTHING : typeof value === 'string' ? value : JSON.stringify(value);

/**
 * What of a bridge's row is not as a bridge of ours has it. Controllers may change every flow, mirrors and exports
 * carry frames elsewhere, a spanning tree closes ports, snooping does nothing but costs: none of it is wanted.
 */
export function bridgeDrift(
  want: Pick<BridgeState, 'switch' | 'mtu'>,
  have: Pick<BridgeObservation, 'externalIds' | 'failMode' | 'mtu' | 'settings' | 'fragmentsBlind'>,
): readonly SettingDifference[] {
  const fields: [field: string, expected: unknown, found: unknown][] = [
    [`external_ids:${SWITCH_MARK}`, want.switch, have.externalIds[SWITCH_MARK]],
    ['fail_mode', 'secure', have.failMode],
    ['mtu', `${want.mtu}`, have.mtu === undefined ? undefined : `${have.mtu}`],
    ...Object.entries(have.settings?.mtus ?? {}).map(([device, mtu]): [string, unknown, unknown] => [
      `interface ${device} mtu_request`,
      `${want.mtu}`,
      mtu === null ? undefined : `${mtu}`,
    ]),
    ['fragments', 'nx-match', have.fragmentsBlind === true ? 'normal' : 'nx-match'],
    ...(have.settings === undefined ? [] : settingFields(have.settings)),
  ];
  return fields
    .map(([field, expected, found]) => ({ field, expected: shown(expected), found: shown(found) }))
    .filter(({ expected, found }) => expected !== found);
}

function settingFields(settings: BridgeSettings): [string, unknown, unknown][] {
  const { controllers, protocols, mirrors, mcastSnooping, stp, rstp, netflow, otherConfig } = settings;
  const { datapathType } = settings;
  return [
    ['datapath_type', datapathType?.expected, datapathType?.found],
    ['controller', undefined, controllers],
    ['protocols', [...BRIDGE_PROTOCOLS].sort(), protocols === undefined ? undefined : [...protocols].sort()],
    ['mirrors', undefined, mirrors],
    ['mcast_snooping_enable', undefined, mcastSnooping],
    ['stp_enable', undefined, stp],
    ['rstp_enable', undefined, rstp],
    ['netflow', undefined, netflow],
    ...Object.entries(BRIDGE_CONFIG).map(([key, value]): [string, unknown, unknown] => [
      `other_config:${key}`,
      value,
      otherConfig?.[key],
    ]),
  ];
}

const PORT_FIELDS = {
  tag: 'tag',
  trunks: 'trunks',
  vlanMode: 'vlan_mode',
  qos: 'qos',
  bondMode: 'bond_mode',
  lacp: 'lacp',
  otherConfig: 'other_config',
  deviceConfig: 'interface other_config',
  ingressPolicingRate: 'ingress_policing_rate',
  ingressPolicingBurst: 'ingress_policing_burst',
} as const satisfies Record<keyof KeptSettings, string>;

/**
 * How ports looked when they were first seen, by `<bridge>/<port>`: what their hypervisor set as it plugged them is its
 * own, and what changes later was done by hand.
 */
export type PortBaseline = ReadonlyMap<string, KeptSettings>;

/** A row with what is looked at as it is to be. */
export function withKept(row: ObservedInterface, kept: KeptSettings, device?: OwnDevice): ObservedInterface {
  const rest = Object.entries(row.settings ?? {}).filter(([key]) => !Object.hasOwn(PORT_FIELDS, key));
  const settings: PortSettings = { ...Object.fromEntries(rest), ...kept };
  if (device === undefined) return { ...row, settings };
  const { unmarked: _mark, options: _options, ...others } = settings;
  const options = Object.keys(device.options).length === 0 ? {} : { options: device.options };
  return { ...row, type: device.type, settings: { ...others, ...options } };
}

export const keptSettings = ({ settings = {} }: Pick<ObservedInterface, 'settings'>): KeptSettings =>
  Object.fromEntries(
    Object.keys(PORT_FIELDS).flatMap((key) => {
      const value = settings[key as keyof KeptSettings];
      return value === undefined ? [] : [[key, value]];
    }),
  );

/**
 * What is set of a port that we plug: of one device nothing. A bond is there for LACP alone: frames go to its members by
 * flows. Of the modes of Open vSwitch the one that does least is taken, as none of them chooses for an output to a member.
 */
function ownSettings({ bond }: Pick<BridgePort, 'bond'>): KeptSettings {
  if (bond === undefined) return {};
  const spoken =
    bond.lacp === 'off' ? {} : { otherConfig: { [LACP_TIME]: bond.fast === true ? 'fast' : 'slow' } };
  return { bondMode: 'active-backup', lacp: bond.lacp, ...spoken };
}

/** What its rows look like when we have plugged it: undefined where nothing is set. */
export function pluggedSettings(port: Pick<BridgePort, 'bond' | 'options'>): PortSettings | undefined {
  const { options = {} } = port;
  const settings = { ...ownSettings(port), ...(Object.keys(options).length === 0 ? {} : { options }) };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

const ownDevice = ({ type, options = {} }: Pick<BridgePort, 'type' | 'options'>): OwnDevice => ({
  type,
  options,
});

/** Null where it is to go, or not known what it looked like at first. Of a bridge's own port nothing is set. */
export function wantedRow(
  row: ObservedInterface,
  port: BridgePort | undefined,
  baseline: PortBaseline,
): WantedRow | null {
  if (row.name === row.bridge) return { settings: {} };
  if (row.marks[PLUGGED_MARK] === 'agent')
    return port === undefined ? null : { settings: ownSettings(port), device: ownDevice(port) };
  const settings = baseline.get(`${row.bridge}/${row.port ?? row.name}`);
  return settings === undefined ? null : { settings };
}

export function portDrift(
  { settings, device }: WantedRow,
  have: ObservedInterface,
): readonly SettingDifference[] {
  const found = keptSettings(have);
  const fields = (Object.keys(PORT_FIELDS) as (keyof KeptSettings)[]).flatMap((key) =>
    differences(PORT_FIELDS[key], settings[key], found[key]),
  );
  return [
    ...fields.filter((d) => !(d.field === 'qos' && d.found === NOTHING)),
    ...(device === undefined ? [] : deviceDrift(device, have)),
  ];
}

function deviceDrift({ type, options }: OwnDevice, have: ObservedInterface): SettingDifference[] {
  const mark = have.settings?.unmarked === true ? undefined : 'agent';
  return [
    ...differences('interface type', type, have.type),
    ...differences('interface options', options, have.settings?.options ?? {}),
    ...differences(`interface external_ids:${PLUGGED_MARK}`, 'agent', mark),
  ];
}

/** Of a map, by its keys. */
function differences(field: string, want: unknown, found: unknown): SettingDifference[] {
  const [a, b] = [mapOf(want), mapOf(found)];
  if (a === undefined && b === undefined) {
    const [expected, is] = [shown(want), shown(found)];
    return expected === is ? [] : [{ field, expected, found: is }];
  }
  const keys = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})]);
  return [...keys].sort().flatMap((key) => differences(`${field}:${key}`, a?.[key], b?.[key]));
}

const mapOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
