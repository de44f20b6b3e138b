import { SHORTEST, writeHeader, writeMac } from '../frames/ethernet.js';

const BROADCAST = 0xffff_ffff_ffffn;
const REVERSE_REQUEST = 3;

/**
 * What a hypervisor sends for a guest that moved: "I am here", which every switch on the way believes of the source
 * address. `vlan` 0: without a tag.
 */
export function rarpFrame(mac: bigint, vlan: number): Uint8Array {
  const frame = new Uint8Array(vlan === 0 ? SHORTEST : SHORTEST + 4);
  const view = new DataView(frame.buffer);
  const at = writeHeader(view, { dst: BROADCAST, src: mac, vlan, type: 0x8035 });
  view.setUint16(at, 1);
  view.setUint16(at + 2, 0x0800);
  view.setUint16(at + 4, 0x0604);
  view.setUint16(at + 6, REVERSE_REQUEST);
  writeMac(view, at + 8, mac);
  writeMac(view, at + 18, mac);
  return frame;
}
