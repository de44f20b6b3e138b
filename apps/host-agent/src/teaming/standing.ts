import { equalJson, isRecord } from '#kernel';
import { type HostDocument } from '#contracts';
import { bridgeName, type CompiledBinding } from '#compiler';
import { type ObservedInterface } from '#openflow';

/** What an agent must not forget of its uplinks: a restart of its own moves no port. */
export interface TeamingMemory {
  /** Switch → uplinks whose link was up when last looked at. */
  readonly live: Readonly<Record<string, readonly string[]>>;
  /** See TeamingFacts. */
  readonly passedOver: Readonly<Record<string, readonly string[]>>;
  readonly unhealthy: Readonly<Record<string, readonly string[]>>;
  readonly pins: Readonly<Record<string, string>>;
}

export const NO_TEAMING: TeamingMemory = { live: {}, passedOver: {}, unhealthy: {}, pins: {} };

/** What the links say now, after `before`; the same object where it is the same. */
export function withLinks(
  before: TeamingMemory,
  switches: HostDocument['switches'],
  interfaces: readonly ObservedInterface[],
): TeamingMemory {
  const live: Record<string, readonly string[]> = {};
  const passedOver: Record<string, readonly string[]> = {};
  for (const { switch: name, uplinks } of switches) {
    const up = Object.keys(uplinks)
      .filter((uplink) => isUp(interfaces, bridgeName(name), uplinks[uplink]))
      .sort();
    const late = (before.passedOver[name] ?? []).filter((uplink) => uplinks[uplink] !== undefined);
    const lost = (before.live[name] ?? []).filter((u) => uplinks[u] !== undefined && !up.includes(u));
    const last = [...late.filter((uplink) => !lost.includes(uplink)), ...lost];
    live[name] = up;
    if (last.length > 0) passedOver[name] = last;
  }
  const now = { ...before, live, passedOver };
  return equalJson(now, before) ? before : now;
}

/** Of a bond's member the partner has to be there as well. */
export const isCarrying = ({ linkUp, lacpCurrent }: ObservedInterface): boolean =>
  linkUp && lacpCurrent !== false;

const isUp = (
  interfaces: readonly ObservedInterface[],
  bridge: string,
  device: string | undefined,
): boolean => interfaces.some((i) => i.bridge === bridge && i.name === device && isCarrying(i));

/** The uplink that carries a binding where these are live; null: none does. */
export function carrierOf(
  { carried }: Pick<CompiledBinding, 'carried'>,
  isLive: (uplink: string) => boolean,
): string | null {
  return carried?.uplinks.find(({ name }) => isLive(name))?.name ?? null;
}

const isNames = (value: unknown): boolean =>
  isRecord(value) &&
  Object.values(value).every((list) => Array.isArray(list) && list.every((name) => typeof name === 'string'));

/** Whether what was on the disk can be believed. */
export function isTeamingMemory(value: unknown): value is TeamingMemory {
  if (!isRecord(value)) return false;
  const { live, passedOver, unhealthy, pins } = value;
  const isPins = isRecord(pins) && Object.values(pins).every((pin) => typeof pin === 'string');
  return isPins && [live, passedOver, unhealthy].every(isNames);
}
