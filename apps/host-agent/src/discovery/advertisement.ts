import { headerSize, SHORTEST, writeHeader } from '../frames/ethernet.js';
import { BRIDGE, TLV } from './tlv.js';
import { LLDP_TYPE } from './lldp.js';

/** What an uplink says of itself. */
export interface Advertisement {
  readonly host: string;
  readonly switch: string;
  readonly uplink: string;
  readonly device: string;
  /** Of the device: who sends. */
  readonly mac: bigint;
  readonly version: string;
}

/** To the bridge at the other end of the cable, and no further. */
const NEAREST_BRIDGE = 0x0180_c200_000en;
const LOCALLY_ASSIGNED = 7;
const INTERFACE_NAME = 5;

/** As a frame. `ttl` in seconds; 0 takes back what was said before, and says nothing else. */
export function lldpFrame(of: Advertisement, ttl: number): Uint8Array {
  const said = [
    tlv(TLV.chassis, [LOCALLY_ASSIGNED, ...text(of.host)]),
    tlv(TLV.port, [INTERFACE_NAME, ...text(of.device)]),
    tlv(TLV.ttl, [ttl >> 8, ttl & 0xff]),
  ];
  if (ttl > 0)
    said.push(
      tlv(TLV.portDescription, text(`${of.uplink} of switch ${of.switch}`)),
      tlv(TLV.systemName, text(of.host)),
      tlv(TLV.systemDescription, text(`Portolan ${of.version} on Open vSwitch`)),
      tlv(TLV.capabilities, [0, BRIDGE, 0, BRIDGE]),
    );
  said.push(tlv(TLV.end, []));
  const octets = said.flat();
  const frame = new Uint8Array(Math.max(SHORTEST, headerSize(0) + octets.length));
  const header = { dst: NEAREST_BRIDGE, src: of.mac, vlan: 0, type: LLDP_TYPE };
  frame.set(octets, writeHeader(new DataView(frame.buffer), header));
  return frame;
}

const text = (of: string): readonly number[] => [...Buffer.from(of, 'utf8').subarray(0, 255)];

const tlv = (type: number, value: readonly number[]): readonly number[] => [
  (type << 1) | (value.length >> 8),
  value.length & 0xff,
  ...value,
];
