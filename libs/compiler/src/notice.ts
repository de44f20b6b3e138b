import { err, invalid, ok, type Result } from '#kernel';

/**
 * What the switch tells the living agent by packet-in when it opened or turned a binding by itself. Form of the
 * userdata: `P`, kind (1 activated, 2 turned), slot (2 bytes), epoch (8 bytes), all big endian.
 */
export interface Notice {
  readonly kind: 'activated' | 'turned';
  readonly slot: number;
  /** Epoch of the binding on this host. */
  readonly epoch: number;
}

const MAGIC = 0x50;
const LENGTH = 12;

export function encodeNotice(notice: Notice): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, MAGIC);
  view.setUint8(1, notice.kind === 'activated' ? 1 : 2);
  view.setUint16(2, notice.slot);
  view.setBigUint64(4, BigInt(notice.epoch));
  return bytes;
}

/** Refuses userdata that is not ours. */
export function decodeNotice(bytes: Uint8Array): Result<Notice> {
  const bad = (reason: string) => err(invalid('userdata', [...bytes.subarray(0, 16)], reason));
  if (bytes.length !== LENGTH || bytes[0] !== MAGIC) return bad('is not a notice');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = view.getUint8(1);
  if (kind !== 1 && kind !== 2) return bad('is a notice of an unknown kind');
  const epoch = view.getBigUint64(4);
  if (epoch > BigInt(Number.MAX_SAFE_INTEGER)) return bad('has an epoch beyond all bounds');
  return ok({ kind: kind === 1 ? 'activated' : 'turned', slot: view.getUint16(2), epoch: Number(epoch) });
}
