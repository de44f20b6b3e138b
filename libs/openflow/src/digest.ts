import { type Piece, type Pieces } from './dataplane.js';
import { MEANING_MASK } from './cookie.js';
import { actionsKey, flowKey, groupKey, isCountMeter } from './identity.js';
import { type Flow, type Meter } from './model.js';

/** Two 32-bit words: sums of such do not depend on the order of what is summed up. */
type Words = readonly [number, number];
const NOTHING: Words = [0, 0];

type Content = Piece & { readonly name: string; readonly pieces?: Pieces };

/**
 * All flows, groups and meters of a host as sixteen hexadecimal digits: equal where they do the same, whoever wrote
 * them, in which round and order. To see that two tables differ, never for secrets. Costs little where most is the same
 * objects as before.
 */
export function tableDigest(bridges: Iterable<Content>): string {
  let all = NOTHING;
  for (const bridge of bridges) all = plus(all, ofText(`${bridge.name} ${ofBridge(bridge).join()}`));
  return all.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** Whoever keeps pieces has them put together only when somebody asks. */
const ofBridge = (bridge: Content): Words =>
  bridge.pieces === undefined
    ? summed(bridge)
    : [...bridge.pieces.values()].flatMap(({ list }) => list.map(ofPiece)).reduce(plus, NOTHING);

const known = new WeakMap<object, Words>();
function remembered<T extends object>(of: T, make: (of: T) => Words): Words {
  let words = known.get(of);
  if (words === undefined) known.set(of, (words = make(of)));
  return words;
}

const ofPiece = (piece: Piece): Words => remembered(piece, summed);

const summed = ({ flows, groups, meters }: Piece): Words =>
  [
    ...flows.map((flow) => remembered(flow, (f) => ofText(flowText(f)))),
    ...groups.map((group) => ofText(groupKey(group))),
    ...meters.map((meter) => ofText(meterText(meter))),
  ].reduce(plus, NOTHING);

const flowText = (flow: Flow): string =>
  `${flowKey(flow)} ${flow.cookie & MEANING_MASK} ${flow.idleTimeout ?? 0} ${flow.hardTimeout ?? 0} ${actionsKey(flow.actions)}`;

const meterText = (meter: Meter): string =>
  `meter ${meter.id} ${meter.unit} ${meter.rate} ${isCountMeter(meter) ? '' : (meter.burst ?? 0)}`;

const plus = (a: Words, b: Words): Words => [(a[0] + b[0]) >>> 0, (a[1] + b[1]) >>> 0];

/** FNV-1a from two beginnings. */
function ofText(text: string): Words {
  let [a, b] = [0x811c9dc5, 0x2f0b4c47];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x01000193);
  }
  return [a >>> 0, b >>> 0];
}
