import { frame, BROADCAST_MAC } from './frames.fixture.js';

const macBytes = (mac: string): number[] => mac.split(':').map((b) => parseInt(b, 16));
const v4 = (ip: string): number[] => ip.split('.').map(Number);

/** Full or with one `::`. */
export function v6(ip: string): number[] {
  const [head = '', tail] = ip.split('::');
  const words = (text: string): number[] => (text === '' ? [] : text.split(':').map((w) => parseInt(w, 16)));
  const [front, back] = [words(head), words(tail ?? '')];
  const all = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return all.flatMap((w) => [w >> 8, w & 0xff]);
}

export interface ArpSpec {
  readonly from: string;
  /** Sender as the packet says; absent: `from`. */
  readonly sha?: string;
  readonly spa: string;
  readonly tpa: string;
  readonly reply?: boolean;
}

export const arp = ({ from, sha = from, spa, tpa, reply = false }: ArpSpec): Uint8Array => {
  const fixed = [0, 1, 8, 0, 6, 4, 0, reply ? 2 : 1];
  const payload = [...fixed, ...macBytes(sha), ...v4(spa), 0, 0, 0, 0, 0, 0, ...v4(tpa)];
  return frame({ to: BROADCAST_MAC, from, type: 0x0806, payload });
};

const MULTICAST_V6 = '33:33:00:00:00:01';

const ipv6 = (from: string, src: string, dst: string, next: number, body: readonly number[]): Uint8Array => {
  const head = [0x60, 0, 0, 0, body.length >> 8, body.length & 0xff, next, 255];
  const payload = [...head, ...v6(src), ...v6(dst), ...body];
  return frame({ to: MULTICAST_V6, from, type: 0x86dd, payload });
};

export const udp6 = (from: string, src: string): Uint8Array =>
  ipv6(from, src, 'ff02::1', 17, [0x30, 0x39, 0x30, 0x39, 0, 8, 1, 1]);

export interface NdSpec {
  readonly from: string;
  readonly src: string;
  readonly target: string;
  /** Link-layer addresses in options, each a MAC. */
  readonly options?: readonly string[];
}

const nd =
  (type: number, option: number) =>
  ({ from, src, target, options = [] }: NdSpec): Uint8Array => {
    const said = options.flatMap((mac) => [option, 1, ...macBytes(mac)]);
    return ipv6(from, src, 'ff02::1', 58, [type, 0, 0, 0, 0, 0, 0, 0, ...v6(target), ...said]);
  };
export const solicit = nd(135, 1);
export const advertise = nd(136, 2);

export function ipv4(
  from: string,
  src: string,
  dst = '10.0.0.255',
  ports: readonly [number, number] = [5000, 5001],
): Uint8Array {
  const ip = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, ...v4(src), ...v4(dst)];
  const [a, b] = ports;
  const payload = [...ip, a >> 8, a & 0xff, b >> 8, b & 0xff, 0, 8, 0, 0];
  return frame({ to: BROADCAST_MAC, from, type: 0x0800, payload });
}

export const discover = (from: string): Uint8Array => ipv4(from, '0.0.0.0', '255.255.255.255', [68, 67]);
