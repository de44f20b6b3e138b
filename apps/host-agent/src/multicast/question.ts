import { type GroupAddress } from '#compiler';
import { checksum, pseudoHeader } from '../frames/checksum.js';
import { writeHeader } from '../frames/ethernet.js';

/** Of our own, of a kind that no maker has. Guests learn it, and nobody else hears it. */
const OWN_MAC = 0x0250_4f52_544fn;
/** The greatest of the link: of several who ask the smallest goes on, and that is to be a router. */
const OWN_ADDRESS = (0xfe80n << 112n) | 0xffff_ffff_ffff_ffffn;
const ALL_NODES = (0xff02n << 112n) | 1n;
const ALL_HOSTS = 0xe000_0001n;
const ICMPV6 = 58;
/** How often what is told may be lost, and after how many seconds the next is asked, as routers tell each other. */
const ROBUSTNESS = 2;
const INTERVAL_S = 125;

/**
 * A question of version 3, or 2 of IPv6, which older guests understand as well: who listens, to one group or any. Asked
 * by nobody (0.0.0.0), as a switch does that is no router. `withinMs`: until when to answer, under 12,800.
 */
export function question(family: GroupAddress['family'], group: bigint | null, withinMs: number): Uint8Array {
  return family === 4 ? question4(group, withinMs) : question6(group, withinMs);
}

function question4(group: bigint | null, withinMs: number): Uint8Array {
  const to = group ?? ALL_HOSTS;
  const frame = new Uint8Array(60);
  const view = new DataView(frame.buffer);
  const dst = (0x01_00_5en << 24n) | (to & 0x7f_ffffn);
  writeHeader(view, { dst, src: OWN_MAC, vlan: 0, type: 0x0800 });
  // Six words: the last is the option that tells routers to look.
  view.setUint32(14, 0x46c0_0024);
  view.setUint32(22, 0x0102_0000);
  view.setUint32(30, Number(to));
  view.setUint32(34, 0x9404_0000);
  view.setUint16(24, checksum(frame.subarray(14, 38)));
  view.setUint8(38, 0x11);
  view.setUint8(39, Math.max(1, Math.round(withinMs / 100)));
  view.setUint32(42, Number(group ?? 0n));
  view.setUint16(46, (ROBUSTNESS << 8) | INTERVAL_S);
  view.setUint16(40, checksum(frame.subarray(38, 50)));
  return frame;
}

function question6(group: bigint | null, withinMs: number): Uint8Array {
  const to = group ?? ALL_NODES;
  const frame = new Uint8Array(90);
  const view = new DataView(frame.buffer);
  const dst = (0x3333n << 32n) | (to & 0xffff_ffffn);
  writeHeader(view, { dst, src: OWN_MAC, vlan: 0, type: 0x86dd });
  view.setUint32(14, 0x6000_0000);
  view.setUint32(18, 0x0024_0001);
  wide(view, 22, OWN_ADDRESS);
  wide(view, 38, to);
  // Hop-by-hop options: routers are to look.
  view.setUint32(54, 0x3a00_0502);
  view.setUint32(58, 0x0000_0100);
  view.setUint8(62, 130);
  view.setUint16(66, withinMs);
  wide(view, 70, group ?? 0n);
  view.setUint16(86, (ROBUSTNESS << 8) | INTERVAL_S);
  view.setUint16(64, checksum(pseudoHeader(frame.subarray(22, 54), 28, ICMPV6), frame.subarray(62)));
  return frame;
}

function wide(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, value >> 64n);
  view.setBigUint64(at + 8, value & 0xffff_ffff_ffff_ffffn);
}
