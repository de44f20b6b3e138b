import {
  parseGroupName,
  parseHostName,
  parseIfaceId,
  parseSetName,
  parseSwitchName,
  parseUnicastMac,
} from '#kernel';
import {
  abilitiesShape,
  differencesShape,
  epochShape,
  evacuationIdShape,
  FACT_SHAPES,
  inexactShape,
  incarnationShape,
  migrationIdShape,
  optionalTime,
  outcomeShape,
  portIdShape,
  rawShape,
  reasonShape,
  vlansShape,
} from '../facts/shapes.js';
import { LONGEST_REASON } from '../ledger/reason.js';
import { type Ability } from '../model/abilities.js';
import { type Fact } from '../model/commands.js';
import {
  addressSetSpecShape,
  groupSpecShape,
  hostSpecShape,
  portSetSpecShape,
  switchSpecShape,
} from '../manifest/shapes.js';
import { type DomainEvent, type DomainEventType } from '../model/events.js';
import {
  type Connectee,
  type EvacuatedGuest,
  type Evacuation,
  type EvacuationPhase,
  type EvacuationRefusal,
  type EvacuationTry,
  type Migration,
  type MigrationPhase,
  type MigrationStep,
  type Standby,
} from '../model/state.js';
import { policyPatchShape } from '../policy/shape.js';
import {
  bool,
  filled,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  parsed,
  text,
  time,
  type Shape,
} from '../shape/shape.js';

export const hostShape = parsed(parseHostName);
export const switchShape = parsed(parseSwitchName);
export const groupShape = parsed(parseGroupName);
export const setShape = parsed(parseSetName);
export const revisionShape = int(0) as unknown as Shape<MigrationStep['revision']>;

export const phaseShape: Shape<MigrationPhase> = oneOf(
  'admitted',
  'prepared',
  'moving',
  'switched',
  'completed',
  'aborting',
  'aborted',
  'failed',
  'unknown',
);

/** Locally administered unicast, as hypervisors give them: never all zeroes. The rest goes through the parser. */
const LOCAL_UNICAST = /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/;

export const connecteeShape: Shape<Connectee> = object<Connectee>({
  kind: oneOf('vm', 'container', 'kernel'),
  ifaceId: parsed(parseIfaceId),
  mac: parsed(parseUnicastMac, LOCAL_UNICAST),
  owner: filled(),
});

export const standbyShape: Shape<Standby> = object<Standby>({
  host: hostShape,
  epoch: epochShape,
  migration: migrationIdShape,
});

const stepShape: Shape<MigrationStep> = object<MigrationStep>({
  phase: phaseShape,
  at: time,
  revision: revisionShape,
  reason: reasonShape,
});

export const migrationShape: Shape<Migration> = object<Migration>({
  id: migrationIdShape,
  origin: oneOf('operator', 'observed'),
  owner: filled(),
  source: hostShape,
  destination: hostShape,
  ports: list(
    object<Migration['ports'][number]>({
      port: portIdShape,
      epoch: epochShape,
      activated: bool,
      ready: optional(bool) as Shape<boolean>,
      plugged: optional(bool) as Shape<boolean>,
      activatedAt: optionalTime,
      turnedAt: optionalTime,
      realised: optional(int()) as Shape<number>,
      carried: optional(int(1)) as Shape<number>,
    }),
    10_000,
  ),
  phase: phaseShape,
  episode: int(1),
  attempt: int(),
  outcome: nullable(outcomeShape),
  deadline: nullable(time),
  history: list(stepShape),
  requestedBy: text(),
  reason: nullable(text(4096)),
  pauseMs: optionalTime,
  evacuation: optional(evacuationIdShape) as Shape<Evacuation['id']>,
});

const refusalsShape: Shape<readonly EvacuationRefusal[]> = list(
  object<EvacuationRefusal>({ destination: nullable(hostShape), field: text(), reason: text(4096) }),
  1_000,
);
const askedShape = {
  id: evacuationIdShape,
  host: hostShape,
  to: list(hostShape, 10_000),
  parallel: nullable(int(1)),
  attempts: int(1),
  requestedBy: text(),
  reason: nullable(text(4096)),
};

export const evacuationShape: Shape<Evacuation> = object<Evacuation>({
  ...askedShape,
  phase: oneOf('running', 'aborting', 'completed', 'incomplete', 'aborted'),
  episode: int(1),
  startedAt: time,
  endedAt: nullable(time),
  why: nullable(text(4096)),
  guests: list(
    object<EvacuatedGuest>({
      owner: filled(),
      tries: list(
        object<EvacuationTry>({
          migration: migrationIdShape,
          destination: hostShape,
          outcome: nullable(oneOf('completed', 'aborted', 'failed')),
          reason: nullable(text(4096)),
        }),
      ),
      refusals: refusalsShape,
    }),
    100_000,
  ),
});

/** Of the reasons that name hosts and what somebody said of them. */
export const LONGEST_WAIT = 4096;

type Of<T extends DomainEventType> = Extract<DomainEvent, { type: T }>;
type Fields<T extends DomainEventType> = {
  readonly [K in Exclude<keyof Of<T>, 'type'>]-?: Shape<Of<T>[K]>;
};
type Inexact = { readonly checkpointAt: number; readonly reason: string };

/** Host, port and epoch: what every word on a binding names. */
const binding = { port: portIdShape, host: hostShape, epoch: epochShape };

const FIELDS: { readonly [T in DomainEventType]: Fields<T> } = {
  HostDefined: { name: hostShape, spec: hostSpecShape },
  HostRemoved: { name: hostShape },
  HostDied: { host: hostShape, by: text(), reason: filled(LONGEST_REASON) },
  HostReturned: { host: hostShape },
  SwitchDefined: { name: switchShape, kind: oneOf('distributed', 'standard'), spec: switchSpecShape },
  SwitchRemoved: { name: switchShape },
  GroupDefined: { name: groupShape, spec: groupSpecShape },
  GroupClosing: { name: groupShape },
  GroupDeleted: { name: groupShape },
  AddressSetDefined: { name: setShape, spec: addressSetSpecShape },
  PortSetDefined: { name: setShape, spec: portSetSpecShape },
  SetRemoved: { name: setShape },
  PortCreated: { port: portIdShape, group: groupShape, switch: switchShape },
  PortMoved: { port: portIdShape, group: groupShape },
  CountersReset: { port: portIdShape, at: rawShape, by: text(), reason: filled(LONGEST_REASON) },
  PortOverridden: { port: portIdShape, override: policyPatchShape },
  PortDeleted: { port: portIdShape },
  PortConnected: { port: portIdShape, connectee: connecteeShape },
  PortDisconnected: { port: portIdShape },
  PortBound: { ...binding, inMaintenance: optional(bool) as Shape<boolean> },
  PortUnbound: binding,
  PortClaimed: { port: portIdShape, host: hostShape, reason: filled(LONGEST_WAIT) },
  PortReleased: { port: portIdShape, host: hostShape },
  PortTakenOver: { ...binding, reason: filled(LONGEST_WAIT) },
  StandbyGranted: { port: portIdShape, standby: standbyShape },
  StandbyRevoked: binding,
  FirstFrameNoted: {
    ...binding,
    migration: migrationIdShape,
    at: time,
    realised: optional(int()) as Shape<number>,
    carried: optional(int(1)) as Shape<number>,
  },
  StandbyReady: { ...binding, ready: bool, plugged: optional(bool) as Shape<boolean> },
  PortActivated: {
    ...binding,
    at: optionalTime,
    realised: optional(int()) as Shape<number>,
    carried: optional(int(1)) as Shape<number>,
  },
  SegmentOpened: { ...binding, incarnation: incarnationShape, raw: rawShape },
  SegmentClosed: {
    ...binding,
    incarnation: incarnationShape,
    raw: rawShape,
    inexact: optional(inexactShape) as Shape<Inexact>,
    turnedAt: optionalTime,
  },
  BindingRetired: binding,
  MigrationStarted: { migration: migrationShape },
  MigrationAdvanced: {
    migration: migrationIdShape,
    from: phaseShape,
    to: phaseShape,
    episode: int(1),
    deadline: nullable(time),
    reason: reasonShape,
  },
  HypervisorReported: {
    migration: migrationIdShape,
    attempt: int(),
    host: hostShape,
    outcome: outcomeShape,
    reason: reasonShape,
    pauseMs: optionalTime,
  },
  EvacuationStarted: { evacuation: object<Of<'EvacuationStarted'>['evacuation']>(askedShape) },
  EvacuationRefused: { evacuation: evacuationIdShape, owner: filled(), refusals: refusalsShape },
  EvacuationAdvanced: {
    evacuation: evacuationIdShape,
    to: oneOf<Exclude<EvacuationPhase, 'running'>>('aborting', 'completed', 'incomplete', 'aborted'),
    reason: reasonShape,
  },
  FactsAccepted: {
    host: hostShape,
    boot: text(),
    seq: int(1),
    abilities: optional(abilitiesShape) as Shape<readonly Ability[]>,
  },
  FactRefused: {
    host: hostShape,
    seq: int(1),
    fact: oneOf(...(Object.keys(FACT_SHAPES) as Fact['type'][])),
    code: text(),
    reason: text(65_536),
  },
  DriftObserved: {
    host: hostShape,
    object: text(),
    differences: differencesShape,
    repaired: bool,
    durationMs: time,
  },
  FlappingObserved: { host: hostShape, object: text(), count: int(1), from: time, to: time },
  UplinkChanged: {
    host: hostShape,
    switch: switchShape,
    uplink: text(63),
    up: bool,
    speed: optional(int(1)) as Shape<number>,
    mtu: optional(int(1)) as Shape<number>,
  },
  UplinkVlansMissed: { host: hostShape, switch: switchShape, uplink: text(63), missing: vlansShape },
  RevisionRealised: { upTo: revisionShape, hosts: int() },
  NumbersRaised: { to: int(1) },
  SchemaLevelRaised: { level: int() },
};

export const EVENT_TYPES = Object.keys(FIELDS) as readonly DomainEventType[];

/** Shape of each event, its `type` included. */
export const EVENT_SHAPES = Object.fromEntries(
  EVENT_TYPES.map((type) => [type, object<never>({ type: oneOf(type), ...FIELDS[type] } as never)]),
) as unknown as Readonly<Record<DomainEventType, Shape<DomainEvent>>>;
