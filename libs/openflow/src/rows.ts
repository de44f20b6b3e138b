/** Rows of the switch's database beside bridges and ports, in the words of Open vSwitch's schema. */

/** Key among an interface's external_ids whose value libvirt carries to the next host in its migration cookie. */
export const PORT_DATA = 'PortData';

/** What somebody set in a bridge's row and what makes a difference to what the bridge does; only what is set is told. */
export interface BridgeSettings {
  /** Absent: the bridge is of the type that its driver makes bridges of. */
  readonly datapathType?: { readonly expected: string; readonly found: string };
  /** What was asked for of the devices that the agent plugged, by their names; null: nothing. */
  readonly mtus?: Readonly<Record<string, number | null>>;
  /** Targets of controllers: whoever is one may change every flow. */
  readonly controllers?: readonly string[];
  readonly protocols?: readonly string[];
  readonly otherConfig?: Readonly<Record<string, string>>;
  readonly mcastSnooping?: true;
  readonly stp?: true;
  readonly rstp?: true;
  /** Names of mirrors. */
  readonly mirrors?: readonly string[];
  readonly netflow?: true;
}

/** The same of a port's and its interface's row. */
export interface PortSettings {
  readonly tag?: number;
  readonly trunks?: readonly number[];
  readonly vlanMode?: string;
  readonly qos?: true;
  readonly bondMode?: string;
  readonly lacp?: string;
  /** Of the port's row: what LACP and bonds go by (`lacp-…`, `bond-…`). */
  readonly otherConfig?: Readonly<Record<string, string>>;
  /** Of the interface's row: what LACP goes by. */
  readonly deviceConfig?: Readonly<Record<string, string>>;
  readonly ingressPolicingRate?: number;
  readonly ingressPolicingBurst?: number;
  readonly ingressPolicingPackets?: number;
  readonly options?: Readonly<Record<string, string>>;
  readonly lldp?: Readonly<Record<string, string>>;
  /** The interface bears no mark of the agent's plugging, though its port does. */
  readonly unmarked?: true;
}

/** What of a port's settings is kept: as whoever plugged it left it, or as its bond is to be; the rest is free to use. */
export type KeptSettings = Pick<
  PortSettings,
  | 'tag'
  | 'trunks'
  | 'vlanMode'
  | 'qos'
  | 'bondMode'
  | 'lacp'
  | 'otherConfig'
  | 'deviceConfig'
  | 'ingressPolicingRate'
  | 'ingressPolicingBurst'
>;

/** What an interface that the agent plugs is besides. */
export interface OwnDevice {
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
}

/** What the rows of a port and of its interfaces must say. `device`: of one that the agent plugs. */
export interface WantedRow {
  readonly settings: KeptSettings;
  readonly device?: OwnDevice;
}

/** A port of several devices. The switch takes care of LACP; flows can't name the bond, only its members. */
export interface LinkBond {
  /** Two or more, in the order of their names. */
  readonly members: readonly string[];
  readonly lacp: 'active' | 'passive' | 'off';
  /** LACP every second instead of every thirty. */
  readonly fast?: boolean;
}

/** Who is told of samples: of every flow that passes the bridge, or of what `sample` actions pick. */
export interface BridgeExports {
  readonly ipfix?: IpfixExport;
  readonly sflow?: SflowExport;
  /** In the order of their ids. */
  readonly collectorSets?: readonly CollectorSet[];
}

export interface IpfixExport {
  /** `address:port`. */
  readonly targets: readonly string[];
  /** One of so many frames; absent: the switch's default. */
  readonly sampling?: number;
  readonly domain?: number;
  readonly point?: number;
  /** Seconds after which a lasting flow is told; absent: after every frame. */
  readonly activeTimeout?: number;
  /** Most flows that are remembered. */
  readonly maxFlows?: number;
  readonly otherConfig?: Readonly<Record<string, string>>;
}

export interface SflowExport {
  readonly targets: readonly string[];
  /** Device whose address names the switch. */
  readonly agent?: string;
  /** One of so many frames. */
  readonly sampling?: number;
  /** Seconds between counters. */
  readonly polling?: number;
  /** Bytes of each frame. */
  readonly header?: number;
}

/** Whom the `sample` actions with its id tell. */
export interface CollectorSet {
  readonly id: number;
  readonly ipfix: Pick<IpfixExport, 'targets' | 'activeTimeout' | 'maxFlows' | 'otherConfig'>;
}

/** Text that is equal for equal values, whatever the order of their keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

export const sameExports = (a: BridgeExports = {}, b: BridgeExports = {}): boolean =>
  canonical(a) === canonical(b);
