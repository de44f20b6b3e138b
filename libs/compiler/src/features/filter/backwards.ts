import { type FilterRule } from '#domain';
import { type FieldMatch, type FieldName, type Match } from '#openflow';
import { REG } from '../../pipeline/registers.js';

const PAIRS = (
  [
    ['eth_src', 'eth_dst'],
    ['ipv4_src', 'ipv4_dst'],
    ['ipv6_src', 'ipv6_dst'],
    ['tcp_src', 'tcp_dst'],
    ['udp_src', 'udp_dst'],
    ['sctp_src', 'sctp_dst'],
    [REG.setsSrc, REG.setsDst],
    [REG.setsSrcPorts, REG.setsDstPorts],
  ] as const
).flatMap(([a, b]): [FieldName, FieldName][] => [
  [a, b],
  [b, a],
]);
const OTHER_END: ReadonlyMap<FieldName, FieldName> = new Map(PAIRS);

/** What a rule's match says of answers: both ends change places. Null: it speaks of single frames of a connection. */
export function backwards(fields: Match, { match: said }: FilterRule): Match | null {
  const single = [said.tcpFlags, said.icmpType, said.dscp, said.cos, said.fragments];
  if (single.some((field) => field !== undefined)) return null;
  return turned(fields);
}

/** With both ends changed. */
export function turned(fields: Match): Match {
  const other: Partial<Record<FieldName, FieldMatch>> = {};
  for (const [name, wanted] of Object.entries(fields) as [FieldName, FieldMatch][])
    if (name !== 'ip_frag') other[OTHER_END.get(name) ?? name] = wanted;
  return other;
}
