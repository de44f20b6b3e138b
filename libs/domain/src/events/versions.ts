import { err, invalid, ok, type Result } from '#kernel';
import { type DomainEvent, type DomainEventType } from '../model/events.js';
import { fullPolicy } from '../policy/forms.js';
import { isPlain } from '../shape/shape.js';
import { parseEvent } from './parse.js';
import { EVENT_TYPES } from './shapes.js';

/** Version of the shape in which each event is written now. */
export const EVENT_VERSIONS: Readonly<Record<DomainEventType, number>> = {
  ...(Object.fromEntries(EVENT_TYPES.map((t) => [t, 1])) as Record<DomainEventType, number>),
  HostDefined: 3,
  SwitchDefined: 2,
  GroupDefined: 3,
  PortOverridden: 2,
  PortBound: 2,
  FactsAccepted: 2,
  PortActivated: 3,
  FirstFrameNoted: 2,
  SegmentClosed: 2,
  HypervisorReported: 2,
  MigrationStarted: 2,
  StandbyGranted: 2,
  StandbyReady: 2,
  UplinkChanged: 3,
};

/** Brings data of version `from` to version `from + 1`. Never throws: what it can't make sense of, it leaves. */
export interface Upcaster {
  readonly type: DomainEventType;
  readonly from: number;
  up(data: unknown): unknown;
}

/** v1 had one VLAN number beside the policy, 0 for none; v2 has trunks, so the VLAN became a field of the policy. */
function groupVlanIntoPolicy(data: unknown): unknown {
  if (!isPlain(data) || !isPlain(data['spec'])) return data;
  const { vlan, ...spec } = data['spec'];
  if (typeof vlan !== 'number') return data;
  const policy = isPlain(spec['policy']) ? spec['policy'] : {};
  const value = vlan === 0 ? { mode: 'none' } : { mode: 'access', id: vlan };
  return { ...data, spec: { ...spec, policy: { ...policy, vlan: value } } };
}

/** v1 told everyone who reads the log the secret of the hand-over; since v2 it is derived, and what v1 told is void. */
function standbyWithoutToken(data: unknown): unknown {
  if (!isPlain(data) || !isPlain(data['standby'])) return data;
  const { token: _void, ...standby } = data['standby'];
  return { ...data, standby };
}

/**
 * Rules were a list and a teaming two lists of uplinks: what they meant is said in full. Fields that came since have
 * defaults that mean what was there before.
 */
function policyOfSpecInFull(data: unknown): unknown {
  if (!isPlain(data) || !isPlain(data['spec'])) return data;
  return { ...data, spec: { ...data['spec'], policy: fullPolicy(data['spec']['policy']) } };
}

const overrideInFull = (data: unknown): unknown =>
  isPlain(data) ? { ...data, override: fullPolicy(data['override']) } : data;

/** Only fields were added, and what the absence of one means is its default. */
const onlyMore = (type: DomainEventType, from: number): Upcaster => ({ type, from, up: (data) => data });

export const upcasters: readonly Upcaster[] = [
  { type: 'GroupDefined', from: 1, up: groupVlanIntoPolicy },
  { type: 'GroupDefined', from: 2, up: policyOfSpecInFull },
  ...(
    [
      'HostDefined',
      'PortBound',
      'FactsAccepted',
      'PortActivated',
      'FirstFrameNoted',
      'SegmentClosed',
      'MigrationStarted',
      'HypervisorReported',
    ] as const
  ).map((type) => onlyMore(type, 1)),
  onlyMore('HostDefined', 2),
  onlyMore('PortActivated', 2),
  { type: 'SwitchDefined', from: 1, up: policyOfSpecInFull },
  { type: 'PortOverridden', from: 1, up: overrideInFull },
  { type: 'StandbyGranted', from: 1, up: standbyWithoutToken },
  onlyMore('StandbyReady', 1),
  onlyMore('UplinkChanged', 1),
  onlyMore('UplinkChanged', 2),
];

/** An event as it stands in a commit: `data` is the event without its type. */
export interface StoredEvent {
  readonly type: string;
  readonly v: number;
  readonly data: unknown;
}

export function toStored(event: DomainEvent): StoredEvent {
  // A rest of the fields would say the same at a multiple of the time.
  const data: Record<string, unknown> = {};
  for (const name in event) if (name !== 'type') data[name] = event[name as keyof DomainEvent];
  return { type: event.type, v: EVENT_VERSIONS[event.type], data };
}

/** Upcasts step by step and judges the result. A version from the future is refused: it must never be guessed. */
export function fromStored({ type, v, data }: StoredEvent): Result<DomainEvent> {
  const newest = Object.hasOwn(EVENT_VERSIONS, type) ? EVENT_VERSIONS[type as DomainEventType] : undefined;
  if (newest === undefined) return err(invalid('type', type, 'is not a known event'));
  if (!Number.isSafeInteger(v) || v < 1 || v > newest) {
    return err(invalid('v', v, `is not a known version of ${type}`, `1 to ${newest}`));
  }
  let current = data;
  for (let from = v; from < newest; from++) {
    current = upcasters.find((u) => u.type === type && u.from === from)?.up(current) ?? current;
  }
  if (!isPlain(current)) return err(invalid('data', current, 'is not a map', 'the fields of the event'));
  const parsed = parseEvent({ ...current, type });
  return parsed.ok ? ok(parsed.value) : parsed;
}
