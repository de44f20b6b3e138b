import { type LabVm } from '../../../../test/lab/net.js';
import { BROADCAST_MAC, frame, rarp } from './frames.fixture.js';

const ARP = 0x0806;
const IPV6 = 0x86dd;
const ALL_NODES = '33:33:00:00:00:01';
/** Of how many the guesses are is no matter: none is in 2^44. */
const GUESSES = 4;

const guess = (n: number): string => `93:1${(n % 16).toString(16)}:00:00:00:01`;

/** Frames that say they are of `mac`: what could be taken for its first word on a host, and what could be a token. */
export function forgeries(mac: string, peer: string, tokens: readonly string[]): readonly Uint8Array[] {
  const guesses = Array.from({ length: GUESSES }, (_, n) => guess(n));
  return [
    rarp(mac),
    frame({ to: BROADCAST_MAC, from: mac, type: ARP, payload: [0, 1, 8, 0, 6, 4, 0, 1] }),
    frame({ to: ALL_NODES, from: mac, type: IPV6 }),
    frame({ to: peer, from: mac }),
    ...toTokens(mac, [...guesses, ...tokens]),
    // Of somebody else.
    ...toTokens(peer, tokens),
  ];
}

const toTokens = (from: string, tokens: readonly string[]): readonly Uint8Array[] =>
  tokens.map((to) => frame({ to, from }));

/** The same frame with a tag. */
const tagged = (f: Uint8Array, vlan: number | null): Uint8Array =>
  vlan === null
    ? f
    : new Uint8Array([...f.subarray(0, 12), 0x81, 0, vlan >> 8, vlan & 0xff, ...f.subarray(12)]);

/** Sends each of the frames in each of the VLANs; null: without a tag. */
export async function forge(
  attacker: LabVm,
  frames: readonly Uint8Array[],
  vlans: readonly (number | null)[],
): Promise<void> {
  for (const vlan of vlans) for (const one of frames) await attacker.sendRaw(tagged(one, vlan));
}
