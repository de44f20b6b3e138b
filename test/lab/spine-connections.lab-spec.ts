import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ListOf, type MigrationView } from '#contracts/http';
import { LAST } from './arrivals.js';
import { conversation, type Conversation } from './conversation.js';
import { type LabHostName, Spine, until } from './spine.js';
import { type LabVm } from './net.js';

const rule = (name: string, direction: 'in' | 'out', match: object) => ({
  ...{ name, direction, action: 'allow', match },
});
const RULES = [
  rule('asks', 'in', { ipProtocol: 17, dstPort: { from: 53, to: 53 } }),
  rule('fetches', 'in', { ipProtocol: 6, dstPort: { from: 80, to: 80 } }),
  rule('pings', 'in', { ipVersion: 4, ipProtocol: 1, icmpType: 8 }),
  rule('serves', 'out', { ipProtocol: 6, dstPort: { from: 443, to: 443 }, srcSet: 'clients' }),
  rule('told', 'out', { ipProtocol: 17, dstPort: { from: 514, to: 514 }, srcSet: 'tellers' }),
];
/** What nothing drops, so that what was sent before it must have been dealt with. */
const PASSES_LAST = { ...rule('last', 'in', { etherType: LAST }), direction: 'both' };
const filter = (rules: readonly object[]) => ({
  stateful: true,
  default: 'drop',
  rules: [PASSES_LAST, ...rules],
});
const CLIENTS = `apiVersion: portolan.dev/v1
kind: AddressSet
metadata: { name: clients }
spec: { addresses: [10.0.0.0/24, 2001:db8::/64] }
---
apiVersion: portolan.dev/v1
kind: PortSet
metadata: { name: tellers }
spec: { owners: [peer] }
`;

/** A guest with a stateful filter moves, and what it was in the middle of goes on. */
describe('connections of a guest that moves', () => {
  let spine: Spine;
  let web: LabVm;
  let peer: LabVm;
  let host: LabHostName = 'north';

  beforeAll(async () => {
    spine = await Spine.start();
    await spine.api.apply(CLIENTS);
    web = await spine.guest('north', 'web', 'web');
    peer = await spine.guest('north', 'peer', 'web');
    await spine.override('web', { filter: filter(RULES) });
  });

  afterAll(async () => {
    await spine?.stop();
  });

  const tracked = async (at: LabHostName): Promise<string> => spine.lab.appctl(at, 'dpctl/dump-conntrack');

  /** `meanwhile` when the destination is prepared, and the guest still runs at the source. */
  async function move(meanwhile: (to: LabHostName) => Promise<void>): Promise<void> {
    const [from, to] = host === 'north' ? (['north', 'south'] as const) : (['south', 'north'] as const);
    const latest = async (): Promise<MigrationView | undefined> =>
      (await spine.api.get<ListOf<MigrationView>>('/v1/migrations?owner=web&limit=100')).items
        .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
        .at(-1);
    await web.moveTo(to, {
      beforeSwitch: async () => {
        await until('the migration', async () => ((await latest())?.phase === 'moving' ? true : undefined));
        await spine.realised(from, to);
        await meanwhile(to);
      },
    });
    await until('its end', async () => ((await latest())?.finished === true ? true : undefined));
    host = to;
  }

  const known = (to: LabHostName, talks: readonly Conversation[]): Promise<unknown> =>
    until('the connections to come along', async () => {
      const text = await tracked(to);
      return talks.every((talk) => text.includes(talk.tuple)) ? true : undefined;
    });

  const each = async (talks: readonly Conversation[], say: (talk: Conversation) => Promise<boolean>) => {
    const passed: string[] = [];
    for (const talk of talks) if (await say(talk)) passed.push(talk.name);
    return passed;
  };

  it('go on at the other host, whoever speaks first, and no others begin', async () => {
    const begin = (name: string, spec: Parameters<typeof conversation>[3]): Conversation =>
      conversation(name, web, peer, spec);
    const talks = [
      begin('udp', { protocol: 17, by: 'guest', from: 4000, to: 53 }),
      begin('udp, IPv6', { protocol: 17, by: 'guest', from: 4001, to: 53, family: 6 }),
      begin('tcp', { protocol: 6, by: 'guest', from: 4002, to: 80 }),
      begin('tcp, IPv6', { protocol: 6, by: 'guest', from: 4003, to: 80, family: 6 }),
      begin('served', { protocol: 6, by: 'peer', from: 4004, to: 443 }),
      begin('served, IPv6', { protocol: 6, by: 'peer', from: 4005, to: 443, family: 6 }),
      begin('told', { protocol: 17, by: 'peer', from: 4006, to: 514 }),
      begin('ping', { protocol: 1, by: 'guest', from: 77, to: 8 }),
    ];
    const names = talks.map((talk) => talk.name);
    const never = [
      begin('no udp', { protocol: 17, by: 'guest', from: 5000, to: 53 }),
      begin('no tcp', { protocol: 6, by: 'guest', from: 5001, to: 80 }),
      begin('never served', { protocol: 6, by: 'peer', from: 5002, to: 443 }),
    ];
    expect(await each(talks, (talk) => talk.begin())).toEqual(names);
    expect(await each(never, (talk) => talk.answer())).toEqual([]);
    await move((to) => known(to, talks).then(() => undefined));
    expect(await each(never, (talk) => talk.answer())).toEqual([]);
    expect(await each(talks, (talk) => talk.answer())).toEqual(names);
    expect(await each(talks, (talk) => talk.ask())).toEqual(names);
    expect(await each(talks, (talk) => talk.answer())).toEqual(names);
    // And back, with one more that began here, and one that its rule does not allow any more.
    const late = begin('late', { protocol: 6, by: 'guest', from: 4010, to: 80 });
    expect(await late.begin()).toBe(true);
    await move(async (to) => {
      await known(to, [...talks, late]);
      await spine.override('web', { filter: filter(RULES.filter(({ name }) => name !== 'asks')) });
    });
    const left = ['tcp', 'tcp, IPv6', 'served', 'served, IPv6', 'told', 'ping', 'late'];
    expect(await each([...talks, late], (talk) => talk.answer())).toEqual(left);
    expect(await each([...talks, late], (talk) => talk.ask())).toEqual(left);
    expect(await each(never, (talk) => talk.answer())).toEqual([]);
    expect(spine.deaths).toEqual([]);
  });
});
