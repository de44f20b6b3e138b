import { macToBigint } from '#kernel';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const IPV4 = 0x0800;
const RARP = 0x8035;
/** Bytes of a numbered frame: where the number stands. */
const NUMBER_AT = 42;

/** A numbered UDP frame of 64 bytes. */
export function numbered(to: string, from: string, number: number): Uint8Array {
  const frame = new Uint8Array(64);
  const view = new DataView(frame.buffer);
  putMac(view, 0, to);
  putMac(view, 6, from);
  view.setUint16(12, IPV4);
  view.setUint8(14, 0x45);
  view.setUint16(16, 50);
  view.setUint8(22, 64);
  view.setUint8(23, 17);
  view.setUint32(26, address(from));
  view.setUint32(30, address(to));
  view.setUint16(34, 9);
  view.setUint16(36, 7);
  view.setUint16(38, 30);
  view.setUint32(NUMBER_AT, number);
  return frame;
}

/** "I am here", as QEMU says it after a migration: broadcast, 60 bytes. */
export function announcement(mac: string): Uint8Array {
  const frame = new Uint8Array(60);
  const view = new DataView(frame.buffer);
  putMac(view, 0, BROADCAST);
  putMac(view, 6, mac);
  view.setUint16(12, RARP);
  view.setUint16(14, 1);
  view.setUint16(16, IPV4);
  view.setUint16(18, 0x0604);
  view.setUint16(20, 3);
  putMac(view, 22, mac);
  putMac(view, 32, mac);
  return frame;
}

/** Where a forged frame says of itself that it is one, and with what. */
const FORGED_AT = 50;
const FORGED = 0xf0f0;
const TAG = 4;

/** In somebody else's name: an announcement, or a plain frame, to whom it likes, in a VLAN or untagged. */
export function forged(to: string, from: string, plain: boolean, vlan: number | null): Uint8Array {
  const frame = plain ? numbered(to, from, 0) : announcement(from);
  const view = new DataView(frame.buffer);
  putMac(view, 0, to);
  view.setUint16(FORGED_AT, FORGED);
  if (vlan === null) return frame;
  return Uint8Array.from([
    ...frame.subarray(0, 12),
    0x81,
    0x00,
    vlan >> 8,
    vlan & 0xff,
    ...frame.subarray(12),
  ]);
}

export const isForged = (frame: Uint8Array): boolean =>
  [FORGED_AT, FORGED_AT + TAG].some((at) => frame[at] === 0xf0 && frame[at + 1] === 0xf0);

/** To a random MAC, locally administered and multicast: only hand-overs are. */
export const isToken = (frame: Uint8Array): boolean =>
  ((frame[0] ?? 0) & 3) === 3 && !frame.subarray(0, 6).every((b) => b === 0xff);

/** The number of a numbered frame; null of any other. */
export function numberOf(frame: Uint8Array): number | null {
  if (isForged(frame) || frame.length < NUMBER_AT + 4 || frame[12] !== 0x08 || frame[13] !== 0x00)
    return null;
  return new DataView(frame.buffer, frame.byteOffset).getUint32(NUMBER_AT);
}

/** As a plain number: enough to tell guests apart. */
export const sourceOf = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset).getUint32(8);
export const destinationOf = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset).getUint32(2);
export const tailOf = (mac: string): number => Number(macToBigint(mac) & 0xffffffffn);

const address = (mac: string): number => Number(0x0a000000n | (macToBigint(mac) & 0xffffffn));

function putMac(view: DataView, at: number, mac: string): void {
  const value = macToBigint(mac);
  view.setUint16(at, Number(value >> 32n));
  view.setUint32(at + 2, Number(value & 0xffffffffn));
}
