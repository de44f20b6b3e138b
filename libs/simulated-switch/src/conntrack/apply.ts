import { type Packet } from '../frame/packet.js';
import { slotOf, valueOf, wordsOf, type Slot } from '../frame/layout.js';
import { type Bits, type Op } from '../table/ops.js';
import { move, set } from '../bridge/write.js';
import { type Conntrack } from './conntrack.js';
import { tupleOf, type Tuple } from './tuple.js';

export type CtOp = Extract<Op, { op: 'ct' }>;

const SLOT = {
  state: slotOf('ct_state'),
  zone: slotOf('ct_zone'),
  mark: slotOf('ct_mark'),
  label: slotOf('ct_label'),
  protocol: slotOf('ct_nw_proto'),
  v4src: slotOf('ct_nw_src'),
  v4dst: slotOf('ct_nw_dst'),
  v6src: slotOf('ct_ipv6_src'),
  v6dst: slotOf('ct_ipv6_dst'),
  src: slotOf('ct_tp_src'),
  dst: slotOf('ct_tp_dst'),
};
const FAMILY: ReadonlyMap<number, 4 | 6> = new Map([
  [0x0800, 4],
  [0x86dd, 6],
]);
const TYPE = slotOf('eth_type').at;

function put(packet: Packet, { at, words }: Slot, value: bigint): void {
  wordsOf(value, words).forEach((word, i) => (packet.words[at + i] = word));
}

/** The frame forgets what it knew of its connection. */
export function clearCt(packet: Packet): void {
  for (const slot of Object.values(SLOT)) put(packet, slot, 0n);
}

const zoneOf = (zone: number | Bits, packet: Packet): number =>
  typeof zone === 'number' ? zone : ((packet.words[zone.word] ?? 0) >>> zone.shift) & zone.mask;

/** Looks the frame up, commits if asked, and writes into its words what there is to know. */
export function track(op: CtOp, packet: Packet, conntrack: Conntrack): void {
  const zone = zoneOf(op.zone, packet);
  const family = FAMILY.get(packet.words[TYPE] ?? 0);
  const tuple = family && tupleOf(packet.view(), packet.headerBytes, family);
  const verdict = conntrack.track(zone, tuple, op.commit, op.force);
  clearCt(packet);
  put(packet, SLOT.state, verdict.state);
  put(packet, SLOT.zone, BigInt(zone));
  const { connection } = verdict;
  if (connection !== undefined) {
    put(packet, SLOT.mark, BigInt(connection.mark));
    put(packet, SLOT.label, connection.label);
  }
  if (verdict.original !== undefined) putOriginal(packet, verdict.original);
  for (const inner of op.exec) {
    if (inner.op === 'set') set(inner, packet);
    else if (inner.op === 'move') move(inner.src, inner.dst, packet);
  }
  if (connection === undefined) return;
  connection.mark = Number(valueOf(packet.words, SLOT.mark));
  connection.label = valueOf(packet.words, SLOT.label);
}

function putOriginal(packet: Packet, t: Tuple): void {
  put(packet, SLOT.protocol, BigInt(t.protocol));
  put(packet, t.family === 4 ? SLOT.v4src : SLOT.v6src, t.src);
  put(packet, t.family === 4 ? SLOT.v4dst : SLOT.v6dst, t.dst);
  put(packet, SLOT.src, BigInt(t.srcPort ?? t.icmpType ?? 0));
  put(packet, SLOT.dst, BigInt(t.dstPort ?? t.icmpCode ?? 0));
}
