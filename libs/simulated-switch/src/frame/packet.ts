import { parseDeep } from './deep.js';
import { checksum } from './checksum.js';
import { slotOf, WORDS } from './layout.js';

const IN_PORT = slotOf('in_port').at;
const DST = slotOf('eth_dst').at;
const SRC = slotOf('eth_src').at;
const TYPE = slotOf('eth_type').at;
const VID = slotOf('vlan_vid').at;
const PCP = slotOf('vlan_pcp').at;
const DSCP = slotOf('ip_dscp').at;
const ECN = slotOf('ip_ecn').at;

export const TAG_PRESENT = 0x1000;
/** What the switch takes for the type of a frame that has a length there. */
const NO_TYPE = 0x05ff;
const HEADER = 14;

/** A frame on its way through the tables, with its registers. Bytes are copied before they are first written. */
export class Packet {
  private deep = false;
  private owned = false;

  private constructor(
    public bytes: Uint8Array,
    readonly words: Uint32Array,
  ) {}

  /** Undefined for what is too short to be a frame. */
  static of(bytes: Uint8Array, inPort: number): Packet | undefined {
    if (bytes.length < HEADER) return undefined;
    const packet = new Packet(bytes, new Uint32Array(WORDS));
    packet.words[IN_PORT] = inPort;
    packet.link();
    return packet;
  }

  /** An independent copy, registers included. */
  clone(): Packet {
    const copy = new Packet(this.bytes, this.words.slice());
    copy.deep = this.deep;
    this.owned = false;
    return copy;
  }

  /** Reads addresses, protocols and ports, once. */
  lookDeep(): void {
    if (this.deep) return;
    this.deep = true;
    parseDeep(this.bytes, this.headerBytes, this.words[TYPE] ?? 0, this.words);
  }

  /** Where nothing is put out but on purpose: where it came from, unless actions say otherwise. */
  get inPort(): number {
    return this.words[IN_PORT] ?? 0;
  }

  get tagged(): boolean {
    return ((this.words[VID] ?? 0) & TAG_PRESENT) !== 0;
  }

  /** Where what the Ethernet header carries begins. */
  get headerBytes(): number {
    return this.tagged ? HEADER + 4 : HEADER;
  }

  view(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  popVlan(): void {
    if (!this.tagged) return;
    const { bytes } = this;
    const out = new Uint8Array(bytes.length - 4);
    out.set(bytes.subarray(0, 12));
    out.set(bytes.subarray(16), 12);
    this.replace(out);
  }

  /** A new outer tag, with VLAN 0 and priority 0. */
  pushVlan(): void {
    const { bytes } = this;
    const out = new Uint8Array(bytes.length + 4);
    out.set(bytes.subarray(0, 12));
    out[12] = 0x81;
    out.set(bytes.subarray(12), 16);
    this.replace(out);
  }

  /** Brings the bytes in line after the words of an Ethernet field were set. */
  writeLink(): void {
    this.own();
    const view = this.view();
    const { words } = this;
    view.setUint16(0, words[DST] ?? 0);
    view.setUint32(2, words[DST + 1] ?? 0);
    view.setUint16(6, words[SRC] ?? 0);
    view.setUint32(8, words[SRC + 1] ?? 0);
    if (this.tagged) view.setUint16(14, ((words[PCP] ?? 0) << 13) | ((words[VID] ?? 0) & 0xfff));
  }

  /** The same for DSCP and ECN; only of IP packets. */
  writeTos(): void {
    const at = this.headerBytes;
    const type = this.words[TYPE];
    if (this.bytes.length < at + 20 || (type !== 0x0800 && type !== 0x86dd)) return;
    this.own();
    const view = this.view();
    const tos = ((this.words[DSCP] ?? 0) << 2) | (this.words[ECN] ?? 0);
    if (type === 0x86dd) return view.setUint16(at, (view.getUint16(at) & 0xf00f) | (tos << 4));
    view.setUint8(at + 1, tos);
    view.setUint16(at + 10, 0);
    view.setUint16(at + 10, checksum(view, at, (view.getUint8(at) & 0xf) * 4));
  }

  private own(): void {
    if (!this.owned) this.bytes = this.bytes.slice();
    this.owned = true;
  }

  private replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.owned = true;
    this.link();
  }

  private link(): void {
    const { bytes, words } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    words[DST] = view.getUint16(0);
    words[DST + 1] = view.getUint32(2);
    words[SRC] = view.getUint16(6);
    words[SRC + 1] = view.getUint32(8);
    let type = view.getUint16(12);
    words[VID] = 0;
    words[PCP] = 0;
    if ((type === 0x8100 || type === 0x88a8) && bytes.length >= HEADER + 4) {
      const tci = view.getUint16(14);
      words[VID] = TAG_PRESENT | (tci & 0xfff);
      words[PCP] = tci >> 13;
      type = view.getUint16(16);
    }
    words[TYPE] = type < 0x600 ? NO_TYPE : type;
  }
}
