import {
  type BridgeObservation,
  type BridgePort,
  type BridgeState,
  type ObservedInterface,
} from './dataplane.js';
import { PLUGGED_MARK, SWITCH_MARK } from './plan.js';
import { type BridgeSettings, type KeptSettings, type PortSettings } from './rows.js';

/** Every version, so that the witness tools of any age can talk to the bridge; ours is the last. */
export const BRIDGE_PROTOCOLS: readonly string[] = [10, 11, 12, 13, 14, 15].map((v) => `OpenFlow${v}`);
/** In-band control would add hidden flows that open a path around the policy. Other keys are not ours. */
export const BRIDGE_CONFIG: Readonly<Record<string, string>> = { 'disable-in-band': 'true' };

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
    ['fragments', 'nx-match', have.fragmentsBlind === true ? 'normal' : 'nx-match'],
    ...(have.settings === undefined ? [] : settingFields(have.settings)),
  ];
  return fields
    .map(([field, expected, found]) => ({ field, expected: shown(expected), found: shown(found) }))
    .filter(({ expected, found }) => expected !== found);
}

function settingFields(settings: BridgeSettings): [string, unknown, unknown][] {
  const { controllers, protocols, mirrors, mcastSnooping, stp, rstp, netflow, otherConfig } = settings;
  return [
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
  lacpTime: 'other_config:lacp-time',
  ingressPolicingRate: 'ingress_policing_rate',
  ingressPolicingBurst: 'ingress_policing_burst',
} as const satisfies Record<keyof KeptSettings, string>;

/**
 * How ports looked when they were first seen, by `<bridge>/<port>`: what their hypervisor set as it plugged them is its
 * own, and what changes later was done by hand.
 */
export type PortBaseline = ReadonlyMap<string, KeptSettings>;

/** Settings with those that are looked at as they were. */
export function withKept(settings: PortSettings | undefined, kept: KeptSettings): PortSettings {
  const rest = Object.entries(settings ?? {}).filter(([key]) => !Object.hasOwn(PORT_FIELDS, key));
  return { ...Object.fromEntries(rest), ...kept };
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
export function ownSettings({ bond }: Pick<BridgePort, 'bond'>): KeptSettings {
  if (bond === undefined) return {};
  const spoken = bond.lacp === 'off' ? {} : { lacpTime: bond.fast === true ? 'fast' : 'slow' };
  return { bondMode: 'active-backup', lacp: bond.lacp, ...spoken };
}

/** The settings that a port must have: null where it is to go, or not known what it looked like at first. */
export function wantedSettings(
  row: ObservedInterface,
  port: BridgePort | undefined,
  baseline: PortBaseline,
): KeptSettings | null {
  if (row.marks[PLUGGED_MARK] === 'agent') return port === undefined ? null : ownSettings(port);
  return baseline.get(`${row.bridge}/${row.port ?? row.name}`) ?? null;
}

export function portDrift(want: KeptSettings, have: ObservedInterface): readonly SettingDifference[] {
  const found = keptSettings(have);
  return (Object.keys(PORT_FIELDS) as (keyof KeptSettings)[])
    .map((key) => ({ field: PORT_FIELDS[key], expected: shown(want[key]), found: shown(found[key]) }))
    .filter((d) => d.expected !== d.found && !(d.field === 'qos' && d.found === NOTHING));
}
