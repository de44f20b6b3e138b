import { err, invalid, ok, type Result } from '#kernel';
import { type Neighbour } from '#contracts';
import { capabilityNames, idText, managementAddress, printable, TLV, tlvs, type Tlv } from './tlv.js';

/** What a neighbour says of itself (IEEE 802.1AB): texts are what it sent, without control characters; `ttl` 0: it goes. */
export type Lldpdu = Omit<Neighbour, 'switch' | 'uplink' | 'others'>;

export const LLDP_TYPE = 0x88cc;
const HEADER = 14;
const TAG = 0x8100;

/** The data unit in an Ethernet frame. Refuses what the standard says is to be dropped; never throws. */
export function parseLldp(frame: Uint8Array): Result<Lldpdu> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < HEADER + 4) return bad(frame, 'is cut short');
  const tag = view.getUint16(12) === TAG ? 4 : 0;
  if (view.getUint16(12 + tag) !== LLDP_TYPE) return bad(frame, 'is not LLDP');
  const list = tlvs(frame.subarray(HEADER + tag));
  if (typeof list === 'string') return bad(frame, list);
  const [chassis, port, ttl, ...rest] = list;
  if (chassis?.type !== TLV.chassis || port?.type !== TLV.port || ttl?.type !== TLV.ttl)
    return bad(frame, 'does not begin with chassis, port and time to live');
  if (rest.some(({ type }) => type <= TLV.ttl)) return bad(frame, 'has one of them twice');
  if (!isId(chassis) || !isId(port)) return bad(frame, 'names no chassis or no port');
  if (ttl.value.length < 2) return bad(frame, 'has a time to live that is cut short');
  const first = (type: number): Uint8Array | undefined => rest.find((t) => t.type === type)?.value;
  const text = (type: number): string | null => textOf(first(type));
  return ok({
    chassis: idText('chassis', chassis.value),
    port: idText('port', port.value),
    ttl: ((ttl.value[0] ?? 0) << 8) | (ttl.value[1] ?? 0),
    portDescription: text(TLV.portDescription),
    systemName: text(TLV.systemName),
    systemDescription: text(TLV.systemDescription),
    capabilities: capabilityNames(first(TLV.capabilities)),
    managementAddress: managementAddress(first(TLV.managementAddress)),
  });
}

/** A subtype, and 1 to 255 octets. */
const isId = ({ value }: Tlv): boolean => value.length >= 2 && value.length <= 256;

const bad = (frame: Uint8Array, reason: string): Result<never> =>
  err(invalid('lldp', [...frame.subarray(0, 32)], reason));

const textOf = (value: Uint8Array | undefined): string | null =>
  value === undefined || value.length === 0 ? null : printable(value);
