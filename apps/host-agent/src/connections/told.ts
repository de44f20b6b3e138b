import { type CarriedConnection } from '#contracts';
import { type KeepsState } from '#compiler';
import { type TrackedConnection } from '#openflow';
import { addressText } from '../rules/address-text.js';

const SCTP = 132;

/**
 * A connection as the next host is told of it. Null: it is over, no rule that stands speaks for it, or its protocol's
 * frames are not made here.
 */
export function toldOf(one: TrackedConnection, { marks }: KeepsState): CarriedConnection | null {
  const { protocol, original, mark, phase } = one;
  const way = marks.in.includes(mark) ? 'in' : marks.out.includes(mark) ? 'out' : null;
  if (way === null || phase === 'over' || protocol === SCTP) return null;
  const { family, src, dst, srcPort, dstPort, icmpId, icmpType, icmpCode } = original;
  return {
    way,
    protocol,
    src: textOf(src, family),
    dst: textOf(dst, family),
    ...(srcPort === undefined || dstPort === undefined ? {} : { srcPort, dstPort }),
    ...(icmpId === undefined || icmpType === undefined
      ? {}
      : { icmp: { id: icmpId, type: icmpType, code: icmpCode ?? 0 } }),
    ...(phase === 'opening' ? { opening: true } : {}),
  };
}

/** Two that have the same are one connection. */
export const keyOf = ({ way, protocol, src, dst, srcPort, dstPort, icmp }: CarriedConnection): string =>
  [way, protocol, src, dst, srcPort ?? icmp?.id, dstPort ?? icmp?.type].join(' ');

function textOf(address: bigint, family: 4 | 6): string {
  const octets = Array.from({ length: family === 4 ? 4 : 16 }, (_, i) =>
    Number((address >> BigInt(8 * i)) & 0xffn),
  );
  return addressText(Uint8Array.from(octets.reverse()));
}
