import {
  parseEvacuationId,
  parseHostName,
  parseMigrationId,
  parsePortId,
  type Epoch,
  type EvacuationId,
  type HostName,
  type MigrationId,
  type PortId,
  type ProblemDetail,
  type Result,
} from '#kernel';
import { ABILITIES, type Ability } from '../model/abilities.js';
import { type Fact, type InterfaceFact, type NumberedFact } from '../model/commands.js';
import {
  type DirectionCounters,
  type HypervisorOutcome,
  type PacketsBytes,
  type RawCounters,
} from '../model/state.js';
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
  parseWith,
  tagged,
  text,
  time,
  type Shape,
} from '../shape/shape.js';

const packetsBytes: Shape<PacketsBytes> = object<PacketsBytes>({ packets: int(), bytes: int() });
const direction: Shape<DirectionCounters> = object<DirectionCounters>({
  unicast: packetsBytes,
  multicast: packetsBytes,
  broadcast: packetsBytes,
});
export const rawShape: Shape<RawCounters> = object<RawCounters>({ in: direction, out: direction });

export const portIdShape: Shape<PortId> = parsed(parsePortId);
export const migrationIdShape: Shape<MigrationId> = parsed(parseMigrationId);
export const evacuationIdShape: Shape<EvacuationId> = parsed(parseEvacuationId);
export const epochShape = int(1) as unknown as Shape<Epoch>;
export const incarnationShape = filled(128);
export const outcomeShape: Shape<HypervisorOutcome> = oneOf(
  'started',
  'completed',
  'failed',
  'aborted',
  'unknown',
);
export const abilitiesShape: Shape<readonly Ability[]> = list(oneOf(...ABILITIES), ABILITIES.length);
export const reasonShape = optional(text(4096)) as Shape<string>;
/** ms. */
export const optionalTime = optional(time) as Shape<number>;
export const inexactShape = object<{ checkpointAt: number; reason: string }>({
  checkpointAt: time,
  reason: text(),
});

type Difference = { readonly field: string; readonly expected: string; readonly found: string };
/** Ids of VLANs, 0 for frames without a tag. */
export const vlansShape: Shape<readonly number[]> = list(int(0, 4094), 4095);

export const differencesShape: Shape<readonly Difference[]> = list(
  object<Difference>({ field: text(), expected: text(65_536), found: text(65_536) }),
  10_000,
);

const interfaceShape: Shape<InterfaceFact> = object<InterfaceFact>({
  ifaceId: text(),
  mac: text(64),
  profile: nullable(text()),
  owner: text(),
  kind: oneOf('vm', 'container', 'kernel'),
  switch: text(63),
});

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;
const type = <T extends Fact['type']>(name: T): Shape<T> => oneOf(name) as Shape<T>;

export const FACT_SHAPES: { readonly [T in Fact['type']]: Shape<FactOf<T>> } = {
  Inventory: object<FactOf<'Inventory'>>({
    type: type('Inventory'),
    interfaces: list(interfaceShape, 10_000),
  }),
  InterfacePlugged: object<FactOf<'InterfacePlugged'>>({
    type: type('InterfacePlugged'),
    interface: interfaceShape,
  }),
  InterfaceUnplugged: object<FactOf<'InterfaceUnplugged'>>({
    type: type('InterfaceUnplugged'),
    ifaceId: text(),
  }),
  PortActivated: object<FactOf<'PortActivated'>>({
    type: type('PortActivated'),
    port: portIdShape,
    epoch: epochShape,
    at: optionalTime,
    realised: optional(int()) as Shape<number>,
    carried: optional(int(1)) as Shape<number>,
  }),
  StandbyReady: object<FactOf<'StandbyReady'>>({
    type: type('StandbyReady'),
    port: portIdShape,
    epoch: epochShape,
    ready: bool,
  }),
  SegmentOpened: object<FactOf<'SegmentOpened'>>({
    type: type('SegmentOpened'),
    port: portIdShape,
    epoch: epochShape,
    incarnation: incarnationShape,
    raw: rawShape,
    owes: optional(list(epochShape, 1_000)) as unknown as Shape<readonly Epoch[]>,
  }),
  SegmentClosed: object<FactOf<'SegmentClosed'>>({
    type: type('SegmentClosed'),
    port: portIdShape,
    epoch: epochShape,
    incarnation: incarnationShape,
    raw: rawShape,
    inexact: optional(inexactShape) as Shape<{ checkpointAt: number; reason: string }>,
    turnedAt: optionalTime,
  }),
  HypervisorMigration: object<FactOf<'HypervisorMigration'>>({
    type: type('HypervisorMigration'),
    migration: migrationIdShape,
    attempt: int(),
    outcome: outcomeShape,
    reason: reasonShape,
    pauseMs: optionalTime,
    owner: optional(text()) as Shape<string>,
    destination: optional(parsed(parseHostName)) as Shape<HostName>,
  }),
  Drift: object<FactOf<'Drift'>>({
    type: type('Drift'),
    object: text(),
    differences: differencesShape,
    repaired: bool,
    durationMs: time,
  }),
  Flapping: object<FactOf<'Flapping'>>({
    type: type('Flapping'),
    object: text(),
    count: int(1),
    from: time,
    to: time,
  }),
  UplinkState: object<FactOf<'UplinkState'>>({
    type: type('UplinkState'),
    switch: text(63),
    uplink: text(63),
    up: bool,
    speed: optional(int(1)) as Shape<number>,
    mtu: optional(int(1)) as Shape<number>,
  }),
  UplinkVlans: object<FactOf<'UplinkVlans'>>({
    type: type('UplinkVlans'),
    switch: text(63),
    uplink: text(63),
    missing: vlansShape,
  }),
};

export const factShape: Shape<Fact> = tagged<Fact>('type', FACT_SHAPES);
const numberedFactShape: Shape<NumberedFact> = object<NumberedFact>({
  seq: int(1),
  at: time,
  fact: factShape,
});

/** Facts from outside (an agent's message): structure and types only; the sequencer judges them on its state. */
export function parseFacts(value: unknown, path = 'facts'): Result<readonly NumberedFact[]> {
  return parseWith(list(numberedFactShape, 10_000), value, path);
}

/** What is wrong with a fact's structure. */
export function explainFact(fact: unknown): readonly ProblemDetail[] {
  const out: ProblemDetail[] = [];
  factShape.explain(fact, '', out);
  return out;
}
