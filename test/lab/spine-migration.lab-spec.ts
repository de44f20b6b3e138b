import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ListOf, type MigrationView, type PortDescription } from '#contracts/http';
import { BRIDGE, type LabHostName, Spine, until } from './spine.js';
import { type LabVm } from './net.js';

/** More of them on demand, to look for what happens once in many. */
const MOVES = Number(process.env['PORTOLAN_LAB_MOVES'] ?? 5);
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
});
