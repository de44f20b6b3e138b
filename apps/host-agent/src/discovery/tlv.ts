/** Types of the standard that mean something here. */
export const TLV = {
  end: 0,
  chassis: 1,
  port: 2,
  ttl: 3,
  portDescription: 4,
  systemName: 5,
  systemDescription: 6,
  capabilities: 7,
  managementAddress: 8,
} as const;

export interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Many more than anybody sends; a frame of 1,600 octets has room for 800. */
const MOST = 256;

/** All of a data unit, to its end or that of the frame; a text: why it makes no sense. */
export function tlvs(unit: Uint8Array): readonly Tlv[] | string {
  const list: Tlv[] = [];
  for (let at = 0; at + 2 <= unit.length;) {
    const head = ((unit[at] ?? 0) << 8) | (unit[at + 1] ?? 0);
    const type = head >> 9;
    const end = at + 2 + (head & 0x1ff);
    if (type === TLV.end) return list;
    if (end > unit.length) return `has a field of type ${type} that is longer than the frame`;
    if (list.length === MOST) return `has more than ${MOST} fields`;
    list.push({ type, value: unit.subarray(at + 2, end) });
    at = end;
  }
  return list;
}

/** Whoever sent it chose the octets: nothing of them may steer a terminal. */
export const printable = (value: Uint8Array): string =>
  Buffer.from(value.subarray(0, 255)).toString('utf8').replace(/\p{C}/gu, '�');

/** Subtypes of chassis and port that hold a text; the others hold an address, or are told as octets. */
const TEXTS = { chassis: [1, 2, 6, 7], port: [1, 2, 5, 7] } as const;
const MAC = { chassis: 4, port: 3 } as const;
const ADDRESS = { chassis: 5, port: 4 } as const;

/** A subtype and what it says which it is. */
export function idText(of: 'chassis' | 'port', value: Uint8Array): string {
  const subtype = value[0] ?? 0;
  const id = value.subarray(1);
  if (subtype === MAC[of] && id.length === 6) return octets(id);
  if (subtype === ADDRESS[of]) return addressText(id) ?? octets(id);
  return TEXTS[of].some((t) => t === subtype) ? printable(id) : octets(id);
}

const octets = (bytes: Uint8Array): string =>
  [...bytes.subarray(0, 64)].map((b) => b.toString(16).padStart(2, '0')).join(':');

/** A family of IANA's and an address of it. */
function addressText(bytes: Uint8Array): string | null {
  const address = bytes.subarray(1);
  if (bytes[0] === 1 && address.length === 4) return [...address].join('.');
  if (bytes[0] !== 2 || address.length !== 16) return null;
  const words = Array.from({ length: 8 }, (_, i) => ((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0));
  return words.map((w) => w.toString(16)).join(':');
}

/** Length of family and address, these, and what is of no use here. */
export function managementAddress(value: Uint8Array | undefined): string | null {
  const length = value?.[0] ?? 0;
  if (value === undefined || length < 2 || value.length < 1 + length) return null;
  const address = value.subarray(1, 1 + length);
  if (address[0] === 6 && address.length === 7) return octets(address.subarray(1));
  return addressText(address);
}

/** By their bits, from the lowest. */
const CAPABILITIES = [
  'other',
  'repeater',
  'bridge',
  'wlan',
  'router',
  'telephone',
  'docsis',
  'station',
  'c-vlan',
  's-vlan',
  'two-port-relay',
] as const;
export const BRIDGE = 1 << CAPABILITIES.indexOf('bridge');

/** What it is able to do, then what of that it does. */
export function capabilityNames(value: Uint8Array | undefined): readonly string[] {
  if (value === undefined || value.length < 4) return [];
  const enabled = ((value[2] ?? 0) << 8) | (value[3] ?? 0);
  return CAPABILITIES.filter((_, bit) => (enabled & (1 << bit)) !== 0);
}
