import { type PrivateVlan } from '#domain';
import { groupDoc, switchDoc, type HostSpec } from '../documents.fixture.js';

export const PRIMARY = 100;
/** Secondary of each group; the promiscuous ones are in the primary itself. */
const SECONDARY = { router: 100, alone: 101, red: 102, blue: 103 } as const;
const KIND = { router: 'promiscuous', alone: 'isolated', red: 'community', blue: 'community' } as const;
type Group = keyof typeof SECONDARY;

export const MAP = (Object.keys(SECONDARY) as Group[]).map((name) => ({
  primary: PRIMARY,
  secondary: SECONDARY[name],
  kind: KIND[name],
})) as unknown as readonly PrivateVlan[];

const of = (name: Group) =>
  groupDoc(name, { vlan: { mode: 'private', primary: PRIMARY, secondary: SECONDARY[name] } as never });

/** Ports of each host: every kind twice, and a second community. */
export const AT = {
  a: { 1: 'router', 2: 'alone', 3: 'alone', 4: 'red', 5: 'red', 6: 'blue' },
  b: { 11: 'router', 12: 'alone', 13: 'red', 14: 'blue' },
} as const satisfies Record<string, Record<number, Group>>;

export const GROUP_OF: Readonly<Record<number, Group>> = { ...AT.a, ...AT.b };
export const ALL = Object.keys(GROUP_OF).map(Number);

/** Written from what a private VLAN is, not from how it is done. */
export function hears(receiver: number, sender: number): boolean {
  const [to, from] = [GROUP_OF[receiver], GROUP_OF[sender]];
  if (receiver === sender) return false;
  if (to === 'router' || from === 'router') return true;
  return to === from && to !== 'alone';
}

export const privateHost = (at: keyof typeof AT, uplinks: Readonly<Record<string, string>>): HostSpec => ({
  switches: { lan: uplinks },
  docs: [{ ...switchDoc(), privateVlans: MAP }],
  groups: (Object.keys(SECONDARY) as Group[]).map(of),
  ports: Object.entries(AT[at]).map(([n, group]) => ({ n: Number(n), group })),
});
