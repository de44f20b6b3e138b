import { type Brand } from './brand.js';
import { err, invalid, ok, type Result } from './result.js';

/** A MAC address in lower case with colons, e.g. `02:00:00:00:00:01`. */
export type Mac = Brand<string, 'Mac'>;
/** A VLAN id, 1 to 4094. */
export type VlanId = Brand<number, 'VlanId'>;

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** Accepts any case and `:` or `-` between the octets. */
export function parseMac(text: unknown, field = 'mac'): Result<Mac> {
  const normal = typeof text === 'string' ? text.toLowerCase().replaceAll('-', ':') : '';
  if (!MAC.test(normal))
    return err(invalid(field, text, 'is not a MAC address', 'six octets, as in 02:00:00:00:00:01'));
  return ok(normal as Mac);
}

/** A MAC that a vNIC may own: unicast and not all zeroes. */
export function parseUnicastMac(text: unknown, field = 'mac'): Result<Mac> {
  const mac = parseMac(text, field);
  if (!mac.ok) return mac;
  if ((macToBigint(mac.value) >> 40n) & 1n) {
    return err(invalid(field, text, 'is a multicast address', 'a unicast MAC address'));
  }
  if (macToBigint(mac.value) === 0n)
    return err(invalid(field, text, 'is all zeroes', 'a unicast MAC address'));
  return mac;
}

/**
 * Group addresses set apart for the tokens of hand-overs: locally administered, none that protocols use, 44 bits free.
 * No guest may send to them, and none gets what is sent to them.
 */
export const TOKEN_ADDRESSES = { value: 0x830000000000n, mask: 0xc30000000000n } as const;

export function macToBigint(mac: string): bigint {
  return BigInt(`0x${mac.replaceAll(':', '')}`);
}

export function macFromBigint(value: bigint): Mac {
  const hex = value.toString(16).padStart(12, '0');
  return (hex.match(/../g) ?? []).join(':') as Mac;
}

export function parseVlanId(value: unknown, field = 'vlan'): Result<VlanId> {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 4094) {
    return err(invalid(field, value, 'is not a VLAN id', 'an integer from 1 to 4094'));
  }
  return ok(value as VlanId);
}

/** An IPv4 or IPv6 prefix as a number of bits set in the address, most significant first. */
export interface Cidr {
  readonly family: 4 | 6;
  /** Network address; host bits are zero. */
  readonly address: bigint;
  readonly prefix: number;
}

/** Parses `10.0.0.0/8`, `10.0.0.1` (as /32), `2001:db8::/32`, `2001:db8::1` (as /128). Host bits must be zero. */
export function parseCidr(text: unknown, field = 'cidr'): Result<Cidr> {
  const expected = 'an IPv4 or IPv6 address or prefix, as in 10.1.0.0/16 or 2001:db8::/32';
  const bad = (reason: string) => err(invalid(field, text, reason, expected));
  if (typeof text !== 'string') return bad('is not an IP prefix');
  const [addressText = '', prefixText, ...rest] = text.split('/');
  if (rest.length > 0) return bad('is not an IP prefix');
  const v4 = ipv4ToBigint(addressText);
  const address = v4 ?? ipv6ToBigint(addressText);
  if (address === undefined) return bad('is not an IP address');
  const family = v4 === undefined ? 6 : 4;
  const bits = family === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(prefixText))
    return bad('has a malformed prefix length');
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return bad(`has a prefix length over ${bits}`);
  if (address & ((1n << BigInt(bits - prefix)) - 1n)) return bad('has bits set after the prefix');
  return ok({ family, address, prefix });
}

export function ipv4ToBigint(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0n;
  for (const octet of octets) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    value = (value << 8n) | BigInt(octet);
  }
  return value;
}

export function ipv6ToBigint(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const words = (half: string): number[] | undefined => {
    if (half === '') return [];
    const parts = half.split(':');
    if (!parts.every((p) => /^[0-9a-fA-F]{1,4}$/.test(p))) return undefined;
    return parts.map((p) => parseInt(p, 16));
  };
  const head = words(halves[0] ?? '');
  const tail = halves.length === 2 ? words(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail].reduce(
    (v, w) => (v << 16n) | BigInt(w),
    0n,
  );
}
