export function writeMac(view: DataView, at: number, mac: bigint): void {
  view.setUint16(at, Number(mac >> 32n));
  view.setUint32(at + 2, Number(mac & 0xffff_ffffn));
}
