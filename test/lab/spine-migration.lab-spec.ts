import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { type ListOf, type MigrationView, type PortDescription } from '#contracts/http';
import { BRIDGE, exchange, group, HOSTS, type LabHostName, Spine, until } from './spine.js';
import { forge, forgeries, heard, tokensIn } from './attacks.js';
import { type LabVm } from './net.js';

/** More of them on demand, to look for what happens once in many. */
const MOVES = Number(process.env['PORTOLAN_LAB_MOVES'] ?? 5);
/** Rows of this table say who is active. */
const ACTIVITY = `table=${TABLES.ACTIVITY},`;
const other = (host: LabHostName): LabHostName => (host === 'north' ? 'south' : 'north');

/** A guest is moved as libvirt moves it: nobody tells Portolan, which sees it and goes along. */
describe('a guest that moves back and forth while it sends', () => {
  let spine: Spine;
  let web: LabVm;
  let peer: LabVm;
  let far: LabVm;

  beforeAll(async () => {
    spine = await Spine.start();
    web = await spine.guest('north', 'web', 'web');
    peer = await spine.guest('south', 'peer', 'web');
    far = await spine.guest('north', 'far', 'web');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  const latest = async (): Promise<MigrationView | undefined> =>
    (await spine.api.get<ListOf<MigrationView>>('/v1/migrations?owner=web&limit=1000')).items
      .toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))
      .at(-1);

  /** Flows that deal with the port's epoch at its old host are those of its slot: none may name its device. */
  async function flowsOf(host: LabHostName, mac: string): Promise<readonly string[]> {
    return (await spine.flows(host)).filter((f) => f.includes(mac));
  }

  it('takes policy and counters along, to the packet', async () => {
    const port = await spine.portId('web');
    let epoch = (await spine.port('web'))?.status.epoch ?? 0;
    let host: LabHostName = 'north';
    const sending = [web.send({ to: peer, pps: 400 }), web.send({ to: far, pps: 200 })];
    for (let move = 1; move <= MOVES; move++) {
      const from = host;
      const to = other(host);
      let prepared: MigrationView | undefined;
      await web.moveTo(to, {
        beforeSwitch: async () => {
          prepared = await until('the destination to be prepared', async () => {
            const m = await latest();
            return m?.destination === to && !m.finished && m.phase === 'moving' ? m : undefined;
          });
          expect(prepared).toMatchObject({ origin: 'observed', source: from, destination: to });
          // Memory takes its time to copy: by then the source is armed, too.
          await spine.realised(from, to);
        },
        beforeUnplug: async () => {
          await until('the guest to be seen', async () => (await latest())?.phase !== 'moving');
        },
      });
      const done = await until('the migration to end', async () => {
        const m = await latest();
        return m?.finished === true ? m : undefined;
      });
      expect(done).toMatchObject({ id: prepared?.id, phase: 'completed', destination: to });
      const { status } = (await spine.port('web')) ?? {};
      expect(status).toMatchObject({ state: 'bound', active: { host: to }, standby: null, retiring: [] });
      expect(status?.epoch).toBeGreaterThan(epoch);
      epoch = status?.epoch ?? 0;
      await spine.realised('north', 'south');
      expect(await flowsOf(from, web.mac)).toEqual([]);
      host = to;
    }
    await web.stopSending();
    const sent = (await Promise.all(sending)).map((s) => s.sent);
    const total = await web.received();
    expect(total).toMatchObject({ sent: sent.reduce((a, b) => a + b, MOVES), errors: 0 });
    const stats = await until('the ledger to agree', async () => {
      const found = await spine.stats('web');
      return found.in.packets >= total.sent ? found : undefined;
    });
    expect(stats).toMatchObject({ in: { packets: total.sent }, exact: true });
    for (const [i, vm] of [peer, far].entries()) {
      expect(await vm.receivedFrom(web)).toMatchObject({
        count: sent[i],
        unique: sent[i],
        missing: [],
        duplicates: 0,
      });
    }
    const { ledger } = await spine.api.get<PortDescription>(`/v1/ports/${port}`);
    const stays = Array.from({ length: MOVES + 1 }, (_, n) => (n % 2 === 0 ? 'north' : 'south'));
    // A long list has its oldest folded into a sum.
    expect(ledger.segments.length).toBe(Math.min(stays.length, 64));
    expect(ledger.segments.map((s) => s.host)).toEqual(stays.slice(-64));
    expect(ledger.segments.filter((s) => s.closedAt === null)).toHaveLength(1);
    expect(await spine.lab.vsctl(other(host), 'list-ports', BRIDGE)).not.toContain('vnic1-');
    expect(spine.deaths).toEqual([]);
  });

  it('is turned by nobody else, who forges its MAC, guesses tokens or replays those of earlier moves', async () => {
    await spine.lab.forgetMacs();
    const may = { promiscuous: true, macChanges: true, forgedTransmits: true };
    await spine.api.apply(group('ill', { vlan: { mode: 'access', id: 10 }, ...may }));
    const wire = await spine.lab.addOutsider({ name: 'wire', mac: '02:00:00:00:00:63', ip: '10.0.0.99' });
    const attackers = [
      wire,
      await spine.guest('north', 'mallory', 'ill'),
      await spine.guest('south', 'trudy', 'ill'),
    ];
    const tokens = new Set<string>();

    /** Who is active where, by the log and by the switches, once everything sent was dealt with. */
    async function standing(): Promise<readonly unknown[]> {
      for (const host of HOSTS) await spine.lab.host(host).drained(...spine.lab.host(host).uplinks);
      for (const host of HOSTS) await spine.lab.appctl(host, 'revalidator/purge');
      const rows = await Promise.all(
        HOSTS.map(async (host) => (await spine.flows(host)).filter((f) => f.includes(ACTIVITY))),
      );
      const { epoch, active, standby } = (await spine.port('web'))?.status ?? {};
      return [epoch, active, standby, (await latest())?.phase, ...rows];
    }
    async function attacked(): Promise<void> {
      const before = await standing();
      const frames = forgeries(web.mac, peer.mac, [...tokens]);
      for (const attacker of attackers) await forge(attacker, frames, [10, 20, null]);
      expect(await standing()).toEqual(before);
      for (const from of [peer, far]) expect(await exchange(from, web)).toBe(50);
    }

    for (let move = 1; move <= 2; move++) {
      const to = other((await spine.port('web'))?.status.active?.host as LabHostName);
      await wire.resetReceived();
      await web.moveTo(to, {
        beforeSwitch: async () => {
          await until('the move', async () => (await latest())?.phase === 'moving');
          await spine.realised('north', 'south');
          await attacked();
        },
        beforeUnplug: async () => {
          await until('the migration to end', async () => (await latest())?.phase === 'completed');
          await spine.realised('north', 'south');
          await attacked();
        },
      });
      // Its own guesses are not among what it hears.
      for (const token of tokensIn(await heard(wire))) tokens.add(token);
      await attacked();
    }
    expect(tokens.size).toBe(2);
    for (const guest of [...attackers.slice(1), web, peer, far])
      expect(tokensIn(await heard(guest))).toEqual([]);
    const { sent } = await web.received();
    await until('the ledger to agree', async () => (await spine.stats('web')).in.packets === sent);
    expect(await spine.stats('web')).toMatchObject({ exact: true });
  });
});
