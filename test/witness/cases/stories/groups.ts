import { mldTypeOf } from '../../model/group-message.js';
import { addressOf, PROTOCOL, type Frame, type GroupMessage, type Ip } from '../../model/frame.js';
import { type World } from '../../model/world.js';
import { guestsOf } from '../frames.js';
import { type Random } from '../random.js';
import { GROUPS_4, GROUPS_6, ipv4Of, ipv6Of, linkLocalOf } from '../values.js';
import { says, speakersWith, type Speaker } from './speakers.js';
import { type Teller } from './teller.js';

const STEPS = 16;
/** Milliseconds until a guest had time to answer, and whoever left is believed; until what is not said again is over. */
const SETTLED = 2_500;
const FORGOTTEN = 300_000;

/** Joins and leaves, and what is sent to groups then. */
export function groupsStory(random: Random, world: World, teller: Teller): void {
  const guests = guestsOf(world);
  if (guests.length === 0) return;
  const first = random.pick(guests);
  const all = speakersWith(random, world, first);
  const members = all.filter(({ guest }) => guest.policy !== undefined);
  if (members.length === 0) return;
  const version = random.weighted<4 | 6>([3, 4], [2, 6]);
  const groups = random.shuffled(version === 4 ? GROUPS_4 : GROUPS_6).slice(0, 3);
  const joined: string[] = [];
  const tell = (who: Speaker, message: GroupMessage): void =>
    teller.frames(says(who, messageFrame(random, version, who, message)));
  const change = (kind: 'join' | 'leave') => (): void => {
    const style = random.pick([2, 3] as const);
    const isFew = style === 3 && kind === 'join' && random.chance(0.3);
    const source = version === 4 ? ipv4Of(0) : ipv6Of(0);
    const group = random.pick(groups);
    if (kind === 'join') joined.push(group);
    tell(random.pick(members), { kind, group, version: style, ...(isFew ? { source } : {}) });
    if (kind === 'leave' && random.chance(0.7)) teller.pass(SETTLED);
  };
  const ask = (): void => {
    const known = joined.length > 0 ? joined : groups;
    const group = random.chance(0.6) ? random.pick(known) : null;
    tell(random.pick(all), { kind: 'query', group, version: random.pick([2, 3] as const) });
  };
  const send = (): void => {
    const who = random.pick(all);
    teller.frames(says(who, datagram(random, version, who, random.pick(groups))));
  };
  if (random.chance(0.85)) teller.pass(SETTLED);
  for (let i = 0; i < STEPS; i += 1)
    random.weighted(
      [4, change('join')],
      [1.5, change('leave')],
      [6, send],
      [5, ask],
      [0.3, () => teller.pass(FORGOTTEN)],
    )();
}

/** Whom a message goes to. */
function toOf(version: 4 | 6, { kind, group, version: style }: GroupMessage): string {
  const of = (four: string, six: string): string => (version === 4 ? four : six);
  if (kind === 'query') return group ?? of('224.0.0.1', 'ff02::1');
  if (style === 3) return of('224.0.0.22', 'ff02::16');
  return kind === 'leave' ? of('224.0.0.2', 'ff02::2') : (group ?? '');
}

function messageFrame(
  random: Random,
  version: 4 | 6,
  { guest: { n, mac } }: Speaker,
  message: GroupMessage,
): Omit<Frame, 'tags'> {
  const [own, none] = version === 4 ? [ipv4Of(n), '0.0.0.0'] : [linkLocalOf(n), '::'];
  const dst = toOf(version, message);
  const src = random.chance(0.85) ? own : none;
  const base = { kind: 'ip', version, src, dst, dscp: 0, says: message } as const;
  const body: Ip =
    version === 4
      ? { ...base, protocol: PROTOCOL.igmp }
      : { ...base, protocol: PROTOCOL.icmpv6, icmp: { type: mldTypeOf(message), code: 0, ident: 0 } };
  return { from: mac, to: groupMac(dst), body };
}

function datagram(
  random: Random,
  version: 4 | 6,
  { guest: { n, mac } }: Speaker,
  dst: string,
): Omit<Frame, 'tags'> {
  const src = version === 4 ? ipv4Of(n) : ipv6Of(n);
  const ports = { src: random.between(1024, 60_000), dst: 5004 };
  const body: Ip = { kind: 'ip', version, src, dst, dscp: 0, protocol: PROTOCOL.udp, ports };
  return { from: mac, to: groupMac(dst), body };
}

/** Several groups have one MAC in common. */
function groupMac(address: string): string {
  const { value, bits } = addressOf(address);
  const digits = bits === 32 ? `01005e${hex(value & 0x7f_ffffn, 6)}` : `3333${hex(value & 0xffff_ffffn, 8)}`;
  return digits.replaceAll(/(..)(?=.)/g, '$1:');
}

const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0');
