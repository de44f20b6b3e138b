import { macToBigint } from '#kernel';
import { ipFrame } from '../../apps/host-agent/src/frames/ip.js';
import { arrivals } from './arrivals.js';
import { type LabVm } from './net.js';

export interface Talk {
  readonly protocol: 1 | 6 | 17;
  readonly by: 'guest' | 'peer';
  /** Ports of whoever begins it; of a ping its id, and its type. */
  readonly from: number;
  readonly to: number;
  readonly family?: 4 | 6;
}

/** Two ends that speak frame by frame; each says whether what it sent arrived. */
export interface Conversation {
  readonly name: string;
  /** As `dpctl/dump-conntrack` tells it. */
  readonly tuple: string;
  /** From its first frame until both ends have spoken. */
  begin(): Promise<boolean>;
  /** One more frame of who began it. */
  ask(): Promise<boolean>;
  /** One more of the other end. */
  answer(): Promise<boolean>;
}

export const [SYN, ACK] = [2, 16];
let sequence = 0;

export function conversation(name: string, guest: LabVm, peer: LabVm, talk: Talk): Conversation {
  const [begins, other] = talk.by === 'guest' ? [guest, peer] : [peer, guest];
  const { protocol, from, to, family = 4 } = talk;
  // Where TCP is by now: a switch that met the connection elsewhere can't know.
  const at = { asks: 0x8000_0000 + (sequence += 0x1234_5678), answers: 0x1000_0000 + sequence };
  const say = async (isAsk: boolean, flags: number): Promise<boolean> => {
    const [sender, receiver] = isAsk ? [begins, other] : [other, begins];
    const [srcPort, dstPort] = isAsk ? [from, to] : [to, from];
    const [seq, ack] = isAsk ? [at.asks, at.answers] : [at.answers, at.asks];
    const body = bodyOf(protocol, { srcPort, dstPort, seq, ack, flags, isAsk, id: from });
    if (isAsk) at.asks += 10;
    else at.answers += 10;
    const [came] = await arrivals(sender, receiver, [frameOf(sender, receiver, { protocol, family, body })]);
    return came === true;
  };
  const ask = (): Promise<boolean> => say(true, ACK);
  const answer = (): Promise<boolean> => say(false, ACK);
  const [src, dst] = [begins, other].map((vm) => textOf(vm, family));
  return {
    name,
    tuple:
      protocol === 1
        ? `orig=(src=${src},dst=${dst},id=${from},type=${to},code=0)`
        : `orig=(src=${src},dst=${dst},sport=${from},dport=${to})`,
    begin: async () => (await say(true, SYN)) && (await say(false, SYN | ACK)) && (await ask()),
    ask,
    answer,
  };
}

type Machine = Pick<LabVm, 'mac' | 'ip'>;
type TcpEnd = Machine & { readonly port: number };

/** A segment of TCP that belongs to nothing. */
export function segment(from: TcpEnd, to: TcpEnd, flags: number): Uint8Array {
  const said = { srcPort: from.port, dstPort: to.port, seq: 1_000, ack: 2_000, flags, isAsk: true, id: 0 };
  return frameOf(from, to, { protocol: 6, family: 4, body: bodyOf(6, said) });
}

interface Packet {
  readonly protocol: Talk['protocol'];
  readonly family: 4 | 6;
  readonly body: Uint8Array;
}

function frameOf(from: Machine, to: Machine, { protocol, family, body }: Packet): Uint8Array {
  const ends = { src: addressOf(from, family), dst: addressOf(to, family) };
  const macs = { to: macToBigint(to.mac), from: macToBigint(from.mac) };
  return ipFrame({ ...macs, ...ends, protocol, body });
}

interface Said {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly isAsk: boolean;
  readonly id: number;
}

function bodyOf(protocol: Talk['protocol'], said: Said): Uint8Array {
  const body = Buffer.alloc(protocol === 6 ? 30 : 12);
  if (protocol === 1) {
    body[0] = said.isAsk ? 8 : 0;
    body.writeUInt16BE(said.id, 4);
    return new Uint8Array(body);
  }
  body.writeUInt16BE(said.srcPort, 0);
  body.writeUInt16BE(said.dstPort, 2);
  if (protocol === 17) body.writeUInt16BE(body.length, 4);
  else {
    body.writeUInt32BE(said.seq >>> 0, 4);
    body.writeUInt32BE(said.flags === SYN ? 0 : said.ack >>> 0, 8);
    body[12] = 0x50;
    body[13] = said.flags;
    body.writeUInt16BE(8192, 14);
  }
  return new Uint8Array(body);
}

const last = (vm: Machine): number => Number(vm.ip.split('.').at(-1));

function addressOf(vm: Machine, family: 4 | 6): Uint8Array {
  if (family === 4) return Uint8Array.from(vm.ip.split('.').map(Number));
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), last(vm));
}

const textOf = (vm: Machine, family: 4 | 6): string =>
  family === 4 ? vm.ip : `2001:db8::${last(vm).toString(16)}`;
