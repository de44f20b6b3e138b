import { type Teaming } from '#domain';
import { type PortDocument } from '#contracts';
import { fnv32 } from '../hash.js';
import { type Place, type TeamPlan, type UplinkPlan } from './plan.js';

/** What of a port decides which of several equal uplinks carries it. */
export type Carried = Pick<PortDocument, 'port' | 'connectee'> & {
  /** The uplink that the host put it on, for its load. */
  readonly pin?: string | undefined;
};

/** The opened uplinks of a port's order, the one that is to carry it first, or why there is none. */
export function resolveTeam(
  teaming: Teaming,
  carried: Carried,
  place: Pick<Place, 'mapping' | 'uplinks' | 'passedOver' | 'unhealthy'>,
): TeamPlan | { readonly missing: string } | undefined {
  if (Object.keys(place.mapping).length === 0) return undefined;
  const order = orderOf(teaming, carried, place);
  const opened = order.flatMap((name) => place.uplinks.filter((u) => u.name === name));
  if (opened.length > 0) {
    if (teaming.mode !== 'ip-hash') return team('order', opened);
    return team(
      'hash',
      [...opened].sort((a, b) => a.key - b.key),
    );
  }
  if (order.length === 0) return { missing: 'its teaming names no uplink' };
  return { missing: `no uplink of its teaming is there: ${order.join(', ')}` };
}

/**
 * Active ones before standby ones. Where ports are spread, each begins at its own place in the list of the active ones
 * and goes on around it: the place depends on what the list says, not on which of them are there now, so that one that
 * fails moves nobody but its own ports.
 */
function orderOf(
  teaming: Teaming,
  carried: Carried,
  { passedOver, unhealthy }: Pick<Place, 'passedOver' | 'unhealthy'>,
): readonly string[] {
  const active = [...new Set(teaming.active)];
  const at = active.length === 0 ? 0 : startOf(teaming.mode, carried) % active.length;
  const around = [...active.slice(at), ...active.slice(0, at)];
  const standby = [...new Set(teaming.standby)].filter((name) => !active.includes(name));
  const { pin } = carried;
  const pinned = teaming.mode === 'load' && pin !== undefined && active.includes(pin);
  const order = pinned
    ? [pin, ...around.filter((name) => name !== pin), ...standby]
    : [...around, ...standby];
  // One that was passed over waits at the end until all before it have failed, too, the longest out first.
  const stays = teaming.failback ? order : atTheEnd(order, passedOver);
  return teaming.detection === 'beacon' ? atTheEnd(stays, unhealthy) : stays;
}

const atTheEnd = (order: readonly string[], late: readonly string[]): readonly string[] => [
  ...order.filter((name) => !late.includes(name)),
  ...late.filter((name) => order.includes(name)),
];

/** Ports are numbered as they are made, so that their numbers alone spread them evenly. */
function startOf(mode: Teaming['mode'], { port, connectee }: Carried): number {
  switch (mode) {
    case 'port':
    case 'load':
      return Math.max(0, Number(port.slice(1)) - 1);
    case 'mac':
      return connectee === null ? 0 : fnv32(connectee.mac);
    case 'explicit':
    case 'ip-hash':
      return 0;
  }
}

const team = (kind: TeamPlan['kind'], uplinks: readonly UplinkPlan[]): TeamPlan => ({
  id: KINDS[kind].digits + (placesOf(uplinks) ?? KINDS[kind].hashed + (namesOf(uplinks) >>> 3)),
  kind,
  uplinks,
});

/**
 * A number that depends on the order alone, so that teams that come and go leave the others' flows as they are: the
 * keys as hexadecimal digits (uplinks 2, 1 → 0x21), hashed where that does not fit.
 */
function placesOf(order: readonly UplinkPlan[]): number | undefined {
  if (order.length > 7 || order.some((u) => u.key > 15)) return undefined;
  return order.reduce((id, u) => id * 16 + u.key, 0);
}

const namesOf = (order: readonly UplinkPlan[]): number => fnv32(order.map((u) => u.key).join('>'));

/** Where the numbers of each kind begin; hashed ones have 29 bits. */
const KINDS = {
  order: { digits: 0, hashed: 0x8000_0000 },
  hash: { digits: 0x1000_0000, hashed: 0xb000_0000 },
} as const;
