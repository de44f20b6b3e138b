import { ipv4ToBigint, ipv6ToBigint } from '#kernel';
import { type TrackedConnection, type WholeTuple } from '#openflow';

const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  icmpv6: 58,
  sctp: 132,
};
const TCP = 6;
const LINE = /^([a-z0-9]+),orig=\(([^)]*)\)(.*)$/;
/** TCP's states by the phase that they come to; every other one is of a connection that stands. */
const PHASES: Readonly<Record<string, TrackedConnection['phase']>> = {
  CLOSED: 'over',
  FIN_WAIT_2: 'over',
  TIME_WAIT: 'over',
  LISTEN: 'opening',
  SYN_SENT: 'opening',
  SYN_RECV: 'opening',
};

/** What `dpctl/dump-conntrack` prints; a line that makes no sense tells of no connection. */
export const parseConnections = (text: string): TrackedConnection[] =>
  text.split('\n').flatMap((line) => parseLine(line) ?? []);

function parseLine(line: string): TrackedConnection | null {
  const [, name = '', fields = '', rest = ''] = LINE.exec(line) ?? [];
  const protocol = PROTOCOLS[name] ?? number(name, 255);
  const original = parseTuple(fields);
  if (protocol === undefined || original === null) return null;
  const mark = number(/,mark=([0-9]+)/.exec(rest)?.[1], 0xffff_ffff) ?? 0;
  const state = /state=([A-Z0-9_]+)/.exec(rest)?.[1] ?? '';
  const phase = protocol === TCP ? (PHASES[state] ?? 'open') : 'open';
  return { protocol, original, mark, phase };
}

const NUMBERS = {
  sport: ['srcPort', 0xffff],
  dport: ['dstPort', 0xffff],
  id: ['icmpId', 0xffff],
  type: ['icmpType', 0xff],
  code: ['icmpCode', 0xff],
} as const;

function parseTuple(fields: string): WholeTuple | null {
  const said = new Map(fields.split(',').map((field) => field.split('=', 2) as [string, string | undefined]));
  const ends = parseEnds(said.get('src') ?? '', said.get('dst') ?? '');
  if (ends === null) return null;
  const numbers = Object.entries(NUMBERS).flatMap(([key, [name, most]]) => {
    const value = number(said.get(key), most);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...ends, ...Object.fromEntries(numbers) };
}

function parseEnds(from: string, to: string): Pick<WholeTuple, 'family' | 'src' | 'dst'> | null {
  for (const [family, parse] of [[4, ipv4ToBigint] as const, [6, ipv6ToBigint] as const]) {
    const [src, dst] = [parse(from), parse(to)];
    if (src !== undefined && dst !== undefined) return { family, src, dst };
  }
  return null;
}

function number(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  return Number(text) <= most ? Number(text) : undefined;
}
