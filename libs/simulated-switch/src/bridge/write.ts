import { type Bucket } from '#openflow';
import { type Packet } from '../frame/packet.js';
import { toOps, type Bits, type Follow, type Op } from '../table/ops.js';

const readied = new WeakMap<Bucket, readonly Op[]>();

/** Buckets are shared by every frame: made ready once. */
export function bucketOps(bucket: Bucket): readonly Op[] {
  let ops = readied.get(bucket);
  if (ops === undefined) readied.set(bucket, (ops = toOps(bucket.actions)));
  return ops;
}

export const cut = (bytes: Uint8Array, maxLen: number): Uint8Array =>
  bytes.length > maxLen ? bytes.subarray(0, maxLen) : bytes;

function follow(what: Follow, packet: Packet): void {
  if (what === 'link') packet.writeLink();
  else if (what === 'tos') packet.writeTos();
}

/** Writes a value into a field, under its mask. */
export function set(op: Extract<Op, { op: 'set' }>, packet: Packet): void {
  const { words } = packet;
  // The bytes are written from the words, which so must hold what is left as it is.
  if (op.follow === 'tos') packet.lookDeep();
  op.values.forEach((value, i) => {
    const mask = op.masks[i] ?? 0;
    words[op.at + i] = ((words[op.at + i] ?? 0) & ~mask) | value;
  });
  follow(op.follow, packet);
}

/** Copies bits of one field to another. */
export function move(src: Bits, dst: Bits, packet: Packet): void {
  const { words } = packet;
  if (dst.follow === 'tos' || src.deep) packet.lookDeep();
  const value = ((words[src.word] ?? 0) >>> src.shift) & src.mask;
  const hole = ~(dst.mask << dst.shift);
  words[dst.word] = ((words[dst.word] ?? 0) & hole) | (value << dst.shift);
  follow(dst.follow, packet);
}
