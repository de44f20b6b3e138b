import { macToBigint, TOKEN_ADDRESSES } from '#kernel';
import { type LabVm } from './vm.js';

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ALL_NODES = '33:33:00:00:00:01';
/** For local experiments. */
const EXPERIMENT = 0x88b5;
const ARP_REQUEST = '0001080006040001';
const RARP_REPLY = '0001080006040003';
/** How many is no matter: none is in 2^44. */
const GUESSES = ['83:10:00:00:00:01', '93:10:00:00:00:01', 'a7:10:00:00:00:01', 'bf:10:00:00:00:01'];

const bytes = (mac: string): string => mac.replaceAll(':', '');

function frame(to: string, from: string, type: number, payload = ''): Buffer {
  const head = `${bytes(to)}${bytes(from)}${type.toString(16).padStart(4, '0')}`;
  return Buffer.from(`${head}${payload}`.padEnd(120, '0'), 'hex');
}

/** Frames that say they are of `mac`: what could be taken for its first word on a host, and what could be a token. */
export function forgeries(mac: string, peer: string, tokens: readonly string[]): readonly Buffer[] {
  const own = `${bytes(mac)}00000000`;
  return [
    frame(BROADCAST, mac, 0x8035, `${RARP_REPLY}${own}${own}`),
    frame(BROADCAST, mac, 0x0806, `${ARP_REQUEST}${own}`),
    frame(ALL_NODES, mac, 0x86dd),
    frame(peer, mac, EXPERIMENT),
    ...[...GUESSES, ...tokens].map((to) => frame(to, mac, EXPERIMENT)),
    // Of somebody else.
    ...tokens.map((to) => frame(to, peer, EXPERIMENT)),
  ];
}

/** Sends each of the frames in each of the VLANs; null: without a tag. */
export async function forge(
  attacker: LabVm,
  frames: readonly Uint8Array[],
  vlans: readonly (number | null)[],
): Promise<void> {
  for (const vlan of vlans) for (const one of frames) await attacker.sendRaw(tagged(one, vlan));
}

const tagged = (f: Uint8Array, vlan: number | null): Uint8Array =>
  vlan === null
    ? f
    : new Uint8Array([...f.subarray(0, 12), 0x81, 0, vlan >> 8, vlan & 0xff, ...f.subarray(12)]);

/** Destinations of the frames without a number that came lately to a guest. */
export const heard = async (one: LabVm): Promise<readonly string[]> =>
  (await one.received()).recent.map(({ hex }) => (hex.slice(0, 12).match(/../g) ?? []).join(':'));

/** Of these, the tokens. */
export const tokensIn = (macs: readonly string[]): readonly string[] =>
  macs.filter((mac) => (macToBigint(mac) & TOKEN_ADDRESSES.mask) === TOKEN_ADDRESSES.value);
