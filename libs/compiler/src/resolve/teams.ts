import { type Lag, type Teaming } from '#domain';
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
  const bundle = lagOf(order, teaming, place.uplinks);
  if (bundle !== undefined) return bundle;
  const opened = order.flatMap((name) => place.uplinks.filter((u) => u.name === name && u.lag === undefined));
  if (opened.length > 0) {
    if (teaming.mode !== 'ip-hash') return team('order', opened);
    return team(
      'hash',
      [...opened].sort((a, b) => a.key - b.key),
    );
  }
  if (order.length === 0) return { missing: 'its teaming names no uplink' };
  const within = place.uplinks.find(({ name, lag }) => lag !== undefined && order.includes(name))?.lag;
  if (within !== undefined)
    return { missing: `its teaming names uplinks of LAG ${within.name} instead of it` };
  return { missing: `no uplink of its teaming is there: ${order.join(', ')}` };
}

/**
 * A LAG carries its ports by all uplinks of the bundle at once. Which these are LACP says, and until it has said so of one
 * at least, all of them stand in the group, which asks it as well.
 */
function lagOf(
  order: readonly string[],
  { detection }: Teaming,
  uplinks: readonly UplinkPlan[],
): TeamPlan | { readonly missing: string } | undefined {
  const named = new Map(
    uplinks.flatMap(({ lag }) => (lag !== undefined && order.includes(lag.name) ? [[lag.name, lag]] : [])),
  );
  const [lag] = named.values();
  if (lag === undefined) return undefined;
  if (order.length > 1)
    return { missing: `LAG ${lag.name} carries its ports alone, and its teaming names more` };
  if (!lag.formed) return { missing: `LAG ${lag.name} has one uplink here, and needs two` };
  if (detection === 'beacon') return { missing: `beacons find out nothing of LAG ${lag.name}: LACP does` };
  const members = uplinks.filter((u) => u.lag?.name === lag.name).sort((a, b) => a.key - b.key);
  const bundled = members.filter((u) => u.lag?.bundled === true);
  return team('hash', bundled.length > 0 ? bundled : members, lag.hash);
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

function team(kind: TeamPlan['kind'], uplinks: readonly UplinkPlan[], by?: Lag['hash']): TeamPlan {
  const { digits, hashed } = KINDS[by ?? kind];
  const id = digits + (placesOf(uplinks) ?? hashed + (namesOf(uplinks) >>> 3));
  return { id, kind, uplinks, ...(by === undefined ? {} : { by }) };
}

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
  l2: { digits: 0x2000_0000, hashed: 0x4000_0000 },
  l3l4: { digits: 0x3000_0000, hashed: 0x6000_0000 },
} as const;
