import { writeMac } from '../frames/mac.js';

/** Octets of an Ethernet frame without its checksum, at least. */
const SHORTEST = 60;
const REVERSE_REQUEST = 3;

/**
 * What a hypervisor sends for a guest that moved: "I am here", which every switch on the way believes of the source
 * address. `vlan` 0: without a tag.
 */
export function rarpFrame(mac: bigint, vlan: number): Uint8Array {
  const tag = vlan === 0 ? 0 : 4;
  const frame = new Uint8Array(SHORTEST + tag);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  writeMac(view, 6, mac);
  if (vlan !== 0) view.setUint32(12, 0x8100_0000 + vlan);
  const at = 12 + tag;
  view.setUint16(at, 0x8035);
  view.setUint16(at + 2, 1);
  view.setUint16(at + 4, 0x0800);
  view.setUint16(at + 6, 0x0604);
  view.setUint16(at + 8, REVERSE_REQUEST);
  writeMac(view, at + 10, mac);
  writeMac(view, at + 20, mac);
  return frame;
}
