/** Frames as bytes, and what a test wants to know of one. */
const hex = (text: string): number[] => (text.match(/[0-9a-f]{2}/gi) ?? []).map((b) => parseInt(b, 16));

export interface FrameSpec {
  readonly to: string;
  readonly from: string;
  readonly vlan?: number;
  readonly type?: number;
  readonly payload?: readonly number[];
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff';

export function frame({ to, from, vlan, type = 0x88b5, payload = [] }: FrameSpec): Uint8Array {
  const tag = vlan === undefined ? [] : [0x81, 0, vlan >> 8, vlan & 0xff];
  const head = [
    ...hex(to.replaceAll(':', '')),
    ...hex(from.replaceAll(':', '')),
    ...tag,
    type >> 8,
    type & 0xff,
  ];
  const bytes = new Uint8Array(Math.max(60, head.length + payload.length));
  bytes.set([...head, ...payload]);
  return bytes;
}

/** With these tags, the outermost first. */
export const tagged = (untagged: Uint8Array, vlans: readonly number[]): Uint8Array =>
  Uint8Array.from([
    ...untagged.subarray(0, 12),
    ...vlans.flatMap((vlan) => [0x81, 0, vlan >> 8, vlan & 0xff]),
    ...untagged.subarray(12),
  ]);

/** A RARP announcement, as QEMU sends it after a move. */
export const rarp = (from: string): Uint8Array => {
  const own = hex(from.replaceAll(':', ''));
  const payload = [0, 1, 8, 0, 6, 4, 0, 3, ...own, 0, 0, 0, 0, ...own, 0, 0, 0, 0];
  return frame({ to: BROADCAST_MAC, from, type: 0x8035, payload });
};

export function udp(to: string, from: string, dst: string, port: number, number = 0): Uint8Array {
  const address = dst.split('.').map(Number);
  const ip = [0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 9, ...address];
  const head = [0x30, 0x39, port >> 8, port & 0xff, 0, 12, 0, 0];
  const count = [number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff];
  return frame({ to, from, type: 0x0800, payload: [...ip, ...head, ...count] });
}

const macAt = (f: Uint8Array, at: number): string =>
  [...f.subarray(at, at + 6)].map((b) => b.toString(16).padStart(2, '0')).join(':');

export const destination = (f: Uint8Array): string => macAt(f, 0);
export const vlanOf = (f: Uint8Array): number | undefined =>
  f[12] === 0x81 && f[13] === 0 ? (((f[14] ?? 0) & 0xf) << 8) | (f[15] ?? 0) : undefined;
/** VLANs of all tags, the outermost first. */
export const vlansOf = (f: Uint8Array): number[] => {
  const vlan = vlanOf(f);
  return vlan === undefined ? [] : [vlan, ...vlansOf(withoutTag(f))];
};
const withoutTag = (f: Uint8Array): Uint8Array => Uint8Array.from([...f.subarray(0, 12), ...f.subarray(16)]);
export const numberOf = (f: Uint8Array): number =>
  new DataView(f.buffer, f.byteOffset + f.length - 4 - Math.max(0, f.length - 46)).getUint32(0);
