import { type Action, type Bucket } from '#openflow';
import { bitsAre, BROADCAST, goto, match, meter, MULTICAST, output, set } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { FLAG, REG, TAG_PRESENT } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { countOut, portMeter } from '../../meters.js';
import { isPlugged, type SteadyPlan, type MirrorPlan, type MirrorWay } from '../../resolve/plan.js';

/** Groups of mirrors, away from those of teams. */
const GROUPS = 0xe000_0000;

/** Where the copies of each mirror go. */
export function ways(bridge: SteadyPlan, out: Emitter): void {
  for (const mirror of bridge.mirrors) {
    if (mirror.to.kind === 'port') toPort(mirror, mirror.to, bridge, out);
    else toUplinks(mirror, mirror.to, out);
  }
}

const ofMirror = (number: number) => ({ [FLAG.mirror.field]: bitsAre(FLAG.mirror, number) });

const cut = (port: number, snapLength: number | null): Action =>
  snapLength === null ? output(port) : { kind: 'output-trunc', port, maxLen: snapLength };

/** The port is handed them as it is handed anything, so they count; octets as of the whole frame. */
function toPort(
  { number, snapLength }: MirrorPlan,
  { slot }: Extract<MirrorWay, { kind: 'port' }>,
  { ports }: SteadyPlan,
  out: Emitter,
): void {
  const port = ports.find((p) => p.slot === slot);
  if (port === undefined || !isPlugged(port) || port.policy.blocked) return;
  if (port.life !== 'owner' && port.life !== 'armed') return;
  const fields = ofMirror(number);
  // What it sent itself: a switch hands nothing back to where it came from, and it must not count either.
  out.flow(TABLES.MIRROR_TO, 200, match({ ...fields, [REG.from]: slot }), [], number);
  const offered = [meter(portMeter(slot, 'offeredOut')), goto(TABLES.MIRROR_COUNT)];
  out.flow(TABLES.MIRROR_TO, 100, match(fields), offered, number);
  const { unicast, multicast, broadcast } = countOut(slot);
  const count = (id: number) => [meter(id), cut(port.ofport, snapLength)];
  const table = TABLES.MIRROR_COUNT;
  out.flow(table, 120, match({ ...fields, eth_dst: BROADCAST }), count(broadcast), number);
  out.flow(table, 110, match({ ...fields, eth_dst: MULTICAST }), count(multicast), number);
  out.flow(table, 100, match(fields), count(unicast), number);
}

/** The switch takes no number for it, but what a register holds. */
const FROM_NOWHERE: readonly Action[] = [
  set(REG.active, 0),
  {
    kind: 'move',
    src: { field: REG.active, offset: 0, bits: 32 },
    dst: { field: 'in_port', offset: 0, bits: 32 },
  },
];

/**
 * By the first live one, with the mirror's VLAN in the outermost tag: who copies sees to it that this is not the guest's
 * own. It may be the one that brought the frame: a switch outputs nothing to where a frame came from, unless that is
 * forgotten.
 */
function toUplinks(
  { number, snapLength }: MirrorPlan,
  { vlan, uplinks }: Extract<MirrorWay, { kind: 'uplinks' }>,
  out: Emitter,
): void {
  const id = GROUPS + number;
  const buckets = uplinks.map(({ ofport }): Bucket => ({
    watchPort: ofport,
    actions: [cut(ofport, snapLength)],
  }));
  out.group({ id, type: 'fast-failover', buckets });
  const away = { kind: 'group', group: id } as const;
  const retag = [...FROM_NOWHERE, set('vlan_vid', TAG_PRESENT | vlan), away];
  // The switch writes into no tag that it can't be sure of.
  const tagged = { vlan_vid: { value: TAG_PRESENT, mask: TAG_PRESENT } };
  out.flow(TABLES.MIRROR_TO, 100, match({ ...ofMirror(number), ...tagged }), retag, number);
}
