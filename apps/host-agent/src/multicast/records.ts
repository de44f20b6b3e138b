/** Types of records in a report; in both versions of the protocol the same. */
const RECORD = { include: 1, exclude: 2, toInclude: 3, toExclude: 4, allow: 5, block: 6 } as const;
/** Type, length of auxiliary data in words, number of sources. */
const HEAD = 4;

export interface Records {
  readonly joined: readonly bigint[];
  readonly left: readonly bigint[];
}

/**
 * Records of a report whose addresses have `width` bytes; null: they do not fill the bytes as their number says. Groups
 * are told without their sources: who listens to some of them listens, and filters for itself.
 */
export function readRecords(bytes: Uint8Array, count: number, width: 4 | 16): Records | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const joined: bigint[] = [];
  const left: bigint[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    if (at + HEAD + width > bytes.length) return null;
    const sources = view.getUint16(at + 2);
    const group = numberAt(view, at + HEAD, width);
    const listens = listening(view.getUint8(at), sources);
    at += HEAD + width * (1 + sources) + 4 * view.getUint8(at + 1);
    if (at > bytes.length) return null;
    if (listens !== null) (listens ? joined : left).push(group);
  }
  return { joined, left };
}

/** Null: it changes nothing. */
function listening(type: number, sources: number): boolean | null {
  switch (type) {
    case RECORD.exclude:
    case RECORD.toExclude:
      return true;
    case RECORD.include:
    case RECORD.toInclude:
      return sources > 0;
    case RECORD.allow:
      return sources > 0 ? true : null;
    default:
      return null;
  }
}

export const numberAt = (view: DataView, at: number, width: 4 | 16): bigint =>
  width === 4 ? BigInt(view.getUint32(at)) : (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
