import { type Epoch, type HostName, type PortId, type SetName } from '#kernel';
import { type Teaming } from '#domain';
import {
  type BindingRole,
  type GroupDocument,
  type HostDocument,
  type PortDocument,
  type SetDocument,
  type SwitchDocument,
} from '#contracts';
import { type Range } from './ranges.js';
import { type Action, type DataplaneState, type ObservedInterface } from '#openflow';

/** The documents that a host holds. Order does not matter. */
export interface Desired {
  readonly host: HostDocument;
  readonly ports: readonly PortDocument[];
  readonly switches: readonly SwitchDocument[];
  readonly groups: readonly GroupDocument[];
  /** Absent: none. */
  readonly sets?: readonly SetDocument[];
}

/** One binding of a port: which port, and which epoch of it. */
export interface PortEpoch {
  readonly port: PortId;
  readonly epoch: Epoch;
}

/** What a host found out about its uplinks, and decided. */
export interface TeamingFacts {
  /** `<port>@<epoch>` → uplink that the port was put on for its load. */
  readonly pins: Readonly<Record<string, string>>;
  /** Switch → uplinks that failed since, the longest out first: ports without failback do not go back to them. */
  readonly passedOver: Readonly<Record<string, readonly string[]>>;
  /** Switch → uplinks whose link is up and that lead nowhere. */
  readonly unhealthy: Readonly<Record<string, readonly string[]>>;
}

/** A multicast address, as a number of 32 or 128 bits. */
export interface GroupAddress {
  readonly family: 4 | 6;
  readonly address: bigint;
}

/** Who on a switch of this host listens to what, as its guests said; ports are told by their slots. */
export interface MulticastFacts {
  /** Asked what they listen to, and had the time to answer: all others get every group. */
  readonly settled: readonly number[];
  /** Behind these is a router, which gets every group of the segment. */
  readonly routers: readonly { readonly segment: number; readonly slot: number }[];
  readonly groups: readonly {
    readonly segment: number;
    readonly group: GroupAddress;
    readonly slots: readonly number[];
  }[];
  /** Wanted more groups than a port may have. */
  readonly refused: readonly number[];
}

/** What a device of the host is besides an uplink; a device that is not there is nothing. */
export interface PnicFacts {
  /** The Linux device that it belongs to, Open vSwitch's own aside. */
  readonly master?: { readonly name: string; readonly kind: string };
  /** With the length of the prefix; those that IPv6 gives to every device are not counted. */
  readonly addresses: readonly string[];
  /** Frames that it receives are merged, by itself or by the kernel, where that does harm. */
  readonly lro?: boolean;
  readonly gro?: boolean;
}

/** What only the host itself knows. */
export interface LocalFacts {
  readonly host: HostName;
  /** Number of the agent's round, 0 to 65535, in every cookie. */
  readonly round: number;
  readonly interfaces: readonly ObservedInterface[];
  /** `<port>@<epoch>` → slot, 1 to MAX_SLOT: the small number that stands for a binding in registers and meter ids. */
  readonly slots: Readonly<Record<string, number>>;
  /** Bindings known to have opened: beats a document of the same epoch that still says standby. */
  readonly activations: readonly PortEpoch[];
  /** Bindings (the source's own epoch) known to have been turned away. */
  readonly handedOver: readonly PortEpoch[];
  /** Absent: nothing. */
  readonly teaming?: TeamingFacts;
  /** By bridge; absent: nobody was asked yet. */
  readonly multicast?: Readonly<Record<string, MulticastFacts>>;
  /** The host started anew, and what it holds is of before: nothing is open but what may start offline. */
  readonly unconfirmed?: true;
  /** By device. Absent, or a device is not in it: nothing speaks against it. */
  readonly pnics?: Readonly<Record<string, PnicFacts>>;
}

/** Why something could not be carried out. The port named is closed; everything else stands. */
export interface CompileException {
  readonly port: PortId | null;
  /** `<kind>/<name>`, as in `port/p17`, `switch/lan`. */
  readonly object: string;
  readonly code: ExceptionCode;
  readonly reason: string;
}

export type ExceptionCode =
  | 'addresses-invalid'
  | 'bridge-name-taken'
  | 'connectee-missing'
  | 'device-shared'
  | 'filter-invalid'
  | 'filter-too-large'
  | 'group-missing'
  | 'group-stale'
  | 'groups-too-many'
  | 'iface-duplicate'
  | 'iface-failed'
  | 'iface-wrong-bridge'
  | 'lag-invalid'
  | 'mac-conflict'
  | 'mac-mismatch'
  | 'mirror-invalid'
  | 'not-a-member'
  | 'not-enforceable'
  | 'offline'
  | 'segment-full'
  | 'set-invalid'
  | 'set-missing'
  | 'set-stale'
  | 'sets-too-many'
  | 'slot-missing'
  | 'switch-missing'
  | 'team-collision'
  | 'token-missing'
  /** Nothing is wrong with what was wanted: it hinders no revision. */
  | 'uplink-advice'
  | 'uplink-in-use'
  | 'uplink-missing'
  | 'uplink-mtu'
  | 'vlan-private'
  | 'wrong-host';

/** Meter ids by destination class of the frame. */
export interface ClassMeters {
  readonly unicast: number;
  readonly multicast: number;
  readonly broadcast: number;
}

/** An uplink whose device the switch has opened. */
export interface Uplink {
  readonly name: string;
  /** Place in the switch's list of uplinks, from 1. */
  readonly key: number;
  readonly device: string;
  readonly ofport: number;
  /** Address of the device; absent: the switch does not tell. */
  readonly mac?: bigint;
}

/** By what a binding is reached from outside. */
export interface Carried {
  /** In their order: the first that is live carries it, or all at once. */
  readonly uplinks: readonly Uplink[];
  readonly kind: 'order' | 'hash';
  /** What policy says of it. */
  readonly teaming: Teaming;
  readonly macs: readonly bigint[];
  /** VLANs of its frames on an uplink, 0 for those without a tag. */
  readonly tags: readonly Range[];
}

/** What tells a frame of a port's own from others, once its policy let it pass. */
export interface Speaks {
  /** Those that are the port's alone. */
  readonly macs: readonly bigint[];
  readonly actions: readonly Action[];
}

/** What remembers the connections of a port with a stateful filter. */
export interface KeepsState {
  /** Of conntrack. */
  readonly zone: number;
  readonly mac: bigint;
  /** In which its frames are; 0 of a trunk, which is in many. */
  readonly segment: number;
  /** Of its connections, by who began them: `in` are those that the port began. */
  readonly marks: { readonly in: readonly number[]; readonly out: readonly number[] };
  /** Whom its rules want as the other end, likewise; absent: nobody in particular. */
  readonly others?: Readonly<Record<'in' | 'out', readonly OtherEnd[]>>;
  /** Prefixes that its guest may speak for; null: any. */
  readonly addresses: readonly string[] | null;
}

/** By its MAC, or one under a mask; or as a member of a set. */
export type OtherEnd = { readonly mac: string } | { readonly set: SetName };

/** Where a binding stands on this host's switch, and where its counts are read. */
export interface CompiledBinding {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly role: BindingRole;
  readonly bridge: string;
  readonly slot: number;
  readonly ofport?: number;
  readonly ifaceName?: string;
  /** The whole policy is in the compiled state: no exception stands against the port and it is not retired. */
  readonly ready: boolean;
  /** Frames may pass now: ready, plugged, active or known to be activated, not turned away. Blocked is still open. */
  readonly open: boolean;
  /** Open only while the host's lease stands. */
  readonly leased?: true;
  /** Count meters, seen from the port: `in` is what it sent. */
  readonly meters: { readonly in: ClassMeters; readonly out: ClassMeters };
  /** What of it passed policy, and what there was before policy: the rest was dropped. */
  readonly passing: { readonly in: number; readonly out: number };
  /** Absent: by no uplink. */
  readonly carried?: Carried;
  /** How a frame becomes one that the port sent: see answers.ts. */
  readonly speaks: Speaks;
  /** Segments in which its guest is to be asked what groups it listens to. Absent: it gets all of them. */
  readonly asked?: readonly Range[];
  /** It gets every group, whatever its guest says. */
  readonly everyGroup?: true;
  /** Absent: its filter has no state, or is not carried out. */
  readonly zone?: number;
  /** As `zone`; absent, too, where its connections can't be told to another host. */
  readonly state?: KeepsState;
  /** Filter rules by name with the cookie that all flows of the rule bear; the round is outside the mask. */
  readonly rules: readonly { readonly name: string; readonly cookie: bigint; readonly mask: bigint }[];
}

export interface Compiled {
  readonly state: DataplaneState;
  readonly exceptions: readonly CompileException[];
  readonly bindings: readonly CompiledBinding[];
  /** Interfaces on our bridges that belong to no known port: they get no flow. */
  readonly quarantined: readonly ObservedInterface[];
}
