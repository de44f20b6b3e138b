import { addressOf, isWithin, MLD, PROTOCOL, type Frame, type GroupMessage } from './frame.js';

/** Whom a multicast frame is for, where groups are filtered. */
export type Audience =
  | { readonly kind: 'everybody' }
  /** What guests say of groups is for those who have to know. */
  | { readonly kind: 'routers' }
  | { readonly kind: 'members'; readonly group: string };

const ALL_HOSTS = '224.0.0.1';

/** Not filtered: what is not IP, groups of the link, and questions to all. */
export function audienceOf({ tags, body }: Frame): Audience {
  if (tags.length > 0 || body.kind !== 'ip') return { kind: 'everybody' };
  const { dst, protocol, icmp, version } = body;
  if (version === 4 && protocol === PROTOCOL.igmp)
    return { kind: dst === ALL_HOSTS ? 'everybody' : 'routers' };
  if (version === 6 && protocol === PROTOCOL.icmpv6 && icmp !== undefined) {
    if (icmp.type === MLD.query) return { kind: 'everybody' };
    if (MLD.reports.includes(icmp.type)) return { kind: 'routers' };
  }
  return isFiltered(dst) ? { kind: 'members', group: dst } : { kind: 'everybody' };
}

/** A group that is joined: one of the link reaches everybody and is nobody's. */
export function isFiltered(address: string): boolean {
  if (!address.includes(':')) return isWithin(address, '224.0.0.0/4') && !isWithin(address, '224.0.0.0/24');
  return isWithin(address, 'ff00::/8') && ((addressOf(address).value >> 112n) & 0xfn) !== 2n;
}

/** Milliseconds. */
const HOLDS = 260_000;
const BELIEVED = 2_000;
const SETTLES = 2_500;

/** Who listens to what on one switch of a host. Time passes by `pass` alone. */
export class Memberships {
  private now = 0;
  /** By port: until when it gets every group, since it may not have answered yet. */
  private readonly settles = new Map<number, number>();
  /** `<segment> <group>`, or `<segment>` of those behind whom is a router → by port, until when. */
  private readonly held = new Map<string, Map<number, number>>();

  /** These are there now: who was not is asked. */
  keep(ports: ReadonlySet<number>): void {
    for (const n of ports) if (!this.settles.has(n)) this.settles.set(n, this.now + SETTLES);
    for (const n of this.settles.keys()) if (!ports.has(n)) this.settles.delete(n);
    for (const until of this.held.values()) for (const n of until.keys()) if (!ports.has(n)) until.delete(n);
  }

  pass(ms: number): void {
    this.now += ms;
    for (const until of this.held.values())
      for (const [n, end] of until) if (end <= this.now) until.delete(n);
  }

  /** `from`: the address of who says it. */
  hear(n: number, segment: number, { kind, group }: GroupMessage, from: string): void {
    if (kind === 'query') {
      if (addressOf(from).value !== 0n) this.hold(`${segment}`, n);
    } else if (group !== null && isFiltered(group)) {
      const key = keyOf(segment, group);
      if (kind === 'join') this.hold(key, n);
      else this.letGo(key, n);
    }
  }

  /** Whether a port gets what is for these, for being one of them. */
  wants(n: number, segment: number, audience: Audience): boolean {
    if (audience.kind === 'everybody' || (this.settles.get(n) ?? 0) > this.now) return true;
    if (this.held.get(`${segment}`)?.has(n)) return true;
    return audience.kind === 'members' && this.isMember(n, segment, audience.group);
  }

  isMember(n: number, segment: number, group: string): boolean {
    return this.held.get(keyOf(segment, group))?.has(n) === true;
  }

  private hold(key: string, n: number): void {
    const until = this.held.get(key) ?? new Map<number, number>();
    this.held.set(key, until.set(n, this.now + HOLDS));
  }

  /** Others behind the port may listen: they have this long to say so. */
  private letGo(key: string, n: number): void {
    const until = this.held.get(key);
    const end = until?.get(n);
    if (end !== undefined) until?.set(n, Math.min(end, this.now + BELIEVED));
  }
}

const keyOf = (segment: number, group: string): string => `${segment} ${addressOf(group).value.toString(16)}`;
