import { createHmac, timingSafeEqual } from 'node:crypto';
import { BEACON } from '#compiler';
import { SHORTEST, writeHeader } from '../../frames/ethernet.js';

const VERSION = 1;
/** Version, uplink, VLAN (2), round (6); behind it the seal. */
const SAID = 10;
const SEAL = 16;

/** That an uplink spoke in a VLAN: what is true of it for one round only. */
export interface Beacon {
  /** Key of the uplink that it left by. */
  readonly from: number;
  /** 0: without a tag. */
  readonly vlan: number;
  readonly round: number;
}

/** From the MAC of the uplink's device. Who does not know the secret can't make another one. */
export function beaconFrame(
  { from, vlan, round }: Beacon,
  mac: bigint,
  on: string,
  secret: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(vlan === 0 ? SHORTEST : SHORTEST + 4);
  const view = new DataView(frame.buffer);
  const said = writeHeader(view, { dst: BEACON.destination, src: mac, vlan, type: BEACON.type });
  view.setUint8(said, VERSION);
  view.setUint8(said + 1, from);
  view.setUint16(said + 2, vlan);
  view.setUint16(said + 4, Math.floor(round / 2 ** 32));
  view.setUint32(said + 6, round >>> 0);
  frame.set(seal(frame.subarray(said, said + SAID), on, secret), said + SAID);
  return frame;
}

/** What a frame without tag says, if who knows the secret said it of this switch; null: anything else. */
export function readBeacon(frame: Uint8Array, on: string, secret: Uint8Array): Beacon | null {
  const said = frame.subarray(14, 14 + SAID);
  const sealed = frame.subarray(14 + SAID, 14 + SAID + SEAL);
  if (sealed.length !== SEAL || said[0] !== VERSION) return null;
  if (!timingSafeEqual(sealed, seal(said, on, secret))) return null;
  const view = new DataView(said.buffer, said.byteOffset, SAID);
  const round = view.getUint16(4) * 2 ** 32 + view.getUint32(6);
  return { from: view.getUint8(1), vlan: view.getUint16(2), round };
}

const seal = (said: Uint8Array, on: string, secret: Uint8Array): Uint8Array =>
  createHmac('sha256', secret).update(said).update(on).digest().subarray(0, SEAL);
