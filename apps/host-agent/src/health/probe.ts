import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { err, invalid, ok, type Result } from '#kernel';
import { PROBE } from '#compiler';
import { headerSize, SHORTEST, writeHeader } from '../frames/ethernet.js';

/** VLANs, both ends included; 0 is what bears no tag. */
export interface VlanRange {
  readonly from: number;
  readonly to: number;
}

/** What a frame of the health check says. An answer repeats the nonce, VLAN and length of what it answers. */
export interface Probe {
  readonly kind: 'probe' | 'answer';
  readonly isFull: boolean;
  readonly host: string;
  /** Uplink that it was sent by. */
  readonly uplink: number;
  readonly vlan: number;
  /** Of the round, and nobody else knows it before. */
  readonly nonce: string;
  /** VLANs that ports of the sender use. */
  readonly vlans: readonly VlanRange[];
}

const MAGIC = 0x50_54_48_31;
const HEADER = 14;
const TAG = 4;
const NONCE = 8;
const SEAL = 16;
const FIXED = 4 + 2 + 2 + NONCE + 2;
/** Enough for any policy but one that is made to be too much; what is more is not told of. */
export const MOST_RANGES = 128;
const LONGEST_NAME = 63;

/** What hosts of one cluster and switch have in common, and neither guests nor other clusters know. */
export const healthKey = (lineage: string, name: string): Buffer =>
  createHash('sha256').update(`portolan health check\0${lineage}\0${name}`).digest();

/** As a frame of at least `length` octets after its header. */
export function probeFrame(
  probe: Probe,
  key: Buffer,
  { src, dst, length }: { readonly src: bigint; readonly dst: bigint; readonly length: number },
): Uint8Array {
  const said = body(probe);
  const seal = sealOf(said, key);
  const { vlan } = probe;
  const frame = new Uint8Array(Math.max(SHORTEST, headerSize(vlan) + Math.max(length, said.length + SEAL)));
  const at = writeHeader(new DataView(frame.buffer), { dst, src, vlan, type: PROBE.etherType });
  frame.set(said, at);
  frame.set(seal, at + said.length);
  return frame;
}

function body({ kind, isFull, host, uplink, vlan, nonce, vlans }: Probe): Buffer {
  const name = Buffer.from(host).subarray(0, LONGEST_NAME);
  const told = vlans.slice(0, MOST_RANGES);
  const said = Buffer.alloc(FIXED + name.length + 4 * told.length);
  said.writeUInt32BE(MAGIC);
  said.writeUInt8((kind === 'answer' ? 2 : 0) + (isFull ? 1 : 0), 4);
  said.writeUInt8(uplink, 5);
  said.writeUInt16BE(vlan, 6);
  said.write(nonce, 8, 'hex');
  said.writeUInt8(name.length, 16);
  said.writeUInt8(told.length, 17);
  name.copy(said, FIXED);
  told.forEach(({ from, to }, i) => {
    said.writeUInt16BE(from, FIXED + name.length + 4 * i);
    said.writeUInt16BE(to, FIXED + name.length + 4 * i + 2);
  });
  return said;
}

/** Refuses what no host of the cluster sent for this switch; never throws. The frame may be cut short behind the seal. */
export function parseProbe(frame: Uint8Array, key: Buffer): Result<Probe> {
  const bad = (reason: string) => err(invalid('probe', [...frame.subarray(0, 32)], reason));
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const at = bytes.length > HEADER && bytes.readUInt16BE(12) === 0x8100 ? HEADER + TAG : HEADER;
  if (bytes.length < at + FIXED + SEAL) return bad('is cut short');
  if (bytes.readUInt16BE(at - 2) !== PROBE.etherType || bytes.readUInt32BE(at) !== MAGIC)
    return bad('is no probe');
  const said = bytes.subarray(at);
  const nameEnd = FIXED + said.readUInt8(16);
  const end = nameEnd + 4 * said.readUInt8(17);
  if (said.length < end + SEAL) return bad('is cut short');
  if (!timingSafeEqual(said.subarray(end, end + SEAL), sealOf(said.subarray(0, end), key)))
    return bad('bears no seal of this cluster and switch');
  const flags = said.readUInt8(4);
  return ok({
    kind: (flags & 2) === 0 ? 'probe' : 'answer',
    isFull: (flags & 1) === 1,
    host: said.toString('utf8', FIXED, nameEnd),
    uplink: said.readUInt8(5),
    vlan: said.readUInt16BE(6),
    nonce: said.toString('hex', 8, 8 + NONCE),
    vlans: Array.from({ length: said.readUInt8(17) }, (_, i) => ({
      from: said.readUInt16BE(nameEnd + 4 * i),
      to: said.readUInt16BE(nameEnd + 4 * i + 2),
    })),
  });
}

const sealOf = (said: Uint8Array, key: Buffer): Buffer =>
  createHmac('sha256', key).update(said).digest().subarray(0, SEAL);
