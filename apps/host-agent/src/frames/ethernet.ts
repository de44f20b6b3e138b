export interface EthernetHeader {
  readonly dst: bigint;
  readonly src: bigint;
  /** 0: without a tag. */
  readonly vlan: number;
  readonly type: number;
}

/** Octets of a frame without its checksum, at least. */
export const SHORTEST = 60;
const TAG = 0x8100;

/** Puts the header at the beginning; returns where what the frame carries begins. */
export function writeHeader(view: DataView, { dst, src, vlan, type }: EthernetHeader): number {
  const at = headerSize(vlan);
  writeMac(view, 0, dst);
  writeMac(view, 6, src);
  if (vlan !== 0) view.setUint32(12, TAG * 0x1_0000 + vlan);
  view.setUint16(at - 2, type);
  return at;
}

export const headerSize = (vlan: number): number => (vlan === 0 ? 14 : 18);

export function writeMac(view: DataView, at: number, mac: bigint): void {
  view.setUint16(at, Number(mac >> 32n));
  view.setUint32(at + 2, Number(mac & 0xffff_ffffn));
}

export const readMac = (view: DataView, at: number): bigint =>
  (BigInt(view.getUint16(at)) << 32n) | BigInt(view.getUint32(at + 2));
