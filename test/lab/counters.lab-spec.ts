import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { type ListOf, type PortHistory, type UplinkStats } from '#contracts/http';
import { BRIDGE, exchange, Spine, until } from './spine.js';
import { type LabVm } from './net.js';

/** A UDP frame of the guests: 14 Ethernet, 20 IPv4, 8 UDP, and its payload. */
const SIZE = 200;

/** Numbers that services tell, against what guests sent and what the switch's own tools say. */
describe('counters of a real switch', () => {
  let spine: Spine;
  let web: LabVm;
  let near: LabVm;
  let far: LabVm;

  beforeAll(async () => {
    spine = await Spine.start();
    web = await spine.guest('north', 'web', 'web');
    near = await spine.guest('north', 'near', 'web');
    far = await spine.guest('south', 'far', 'web');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  /** Counts of flows that lead a port's frames to the wire, as the switch's own tool tells them. */
  const goneUp = async () => {
    await spine.lab.appctl('north', 'revalidator/purge');
    const text = await spine.lab.ofctl('north', 'dump-flows', BRIDGE, `table=${TABLES.TO_PNIC}`);
    return [...text.matchAll(/n_packets=(\d+), n_bytes=(\d+)/g)].map(([, packets, bytes]) => ({
      packets: Number(packets),
      bytes: Number(bytes),
    }));
  };
  const uplink = async (host: string) => {
    const list = await spine.api.get<ListOf<UplinkStats>>(`/v1/stats/uplinks?host=${host}`);
    return list.items[0]?.counts;
  };

  it('tells what crossed the host’s edge for a port, and what stayed', async () => {
    const before = await until('a first look', async () => (await spine.stats('web')).pnic ?? undefined);
    await web.send({ to: near, count: 200, pps: 1_000, size: SIZE });
    await web.send({ to: far, count: 300, pps: 1_000, size: SIZE });
    await web.send({ to: 'broadcast', count: 20, pps: 200, size: SIZE });
    await far.send({ to: web, count: 150, pps: 1_000, size: SIZE });
    await near.send({ to: web, count: 70, pps: 1_000, size: SIZE });
    const { pnic } = await until('the counts', async () => {
      const stats = await spine.stats('web');
      const [up, down] = [stats.pnic?.to.packets ?? 0, stats.pnic?.from.packets ?? 0];
      return up - before.to.packets >= 320 && down - before.from.packets >= 150 ? stats : undefined;
    });
    // As it left the guest; as it came on the wire, with the tag of VLAN 10.
    expect(pnic?.to).toEqual({ packets: before.to.packets + 320, bytes: before.to.bytes + 320 * SIZE });
    expect(pnic?.from).toEqual({
      packets: before.from.packets + 150,
      bytes: before.from.bytes + 150 * (SIZE + 4),
    });
    expect(await goneUp()).toContainEqual(pnic?.to);
  });

  it('tells of uplinks what their devices counted', async () => {
    const before = await until('a first look', () => uplink('north'));
    await web.send({ to: far, count: 400, pps: 2_000, size: SIZE });
    const after = await until('the count', async () => {
      const now = await uplink('north');
      return (now?.out.packets ?? 0) >= before.out.packets + 400 ? now : undefined;
    });
    const ports = await spine.lab.ofctl('north', 'dump-ports', BRIDGE, 'up0');
    const tx = /tx pkts=(\d+), bytes=(\d+)/.exec(ports);
    expect(after?.out).toEqual({ packets: Number(tx?.[1]), bytes: Number(tx?.[2]) });
    const host = await spine.host('north');
    expect(host.status.uplinks[0]?.counts?.out.packets).toBeGreaterThanOrEqual(before.out.packets + 400);
    await until('rates', async () => (await uplink('north'))?.rates ?? undefined);
  });

  it('tells what policy dropped, exactly, and nothing as lost', async () => {
    const { dropped } = await spine.stats('web');
    expect(await exchange(web, far, { count: 40, srcMac: '02:00:00:00:0f:0f' })).toBe(0);
    const stats = await until('the drops', async () => {
      const now = await spine.stats('web');
      return (now.dropped?.in ?? 0) >= (dropped?.in ?? 0) + 40 ? now : undefined;
    });
    expect(stats.dropped).toEqual({ in: (dropped?.in ?? 0) + 40, out: dropped?.out });
    expect(stats).toMatchObject({ lost: 0, exceptions: { in: 0, out: 0 } });
  });

  it('tells what a switch that stood still never read', async () => {
    const host = spine.lab.host('north');
    host.pauseVswitchd();
    // More than the socket of a device holds.
    await web.send({ to: near, count: 12_000, pps: 20_000, size: 1_400 });
    host.continueVswitchd();
    const { sent } = await web.received();
    const stats = await until('what was lost', async () => {
      const now = await spine.stats('web');
      return now.lost !== null && now.lost > 0 && now.lost + now.in.packets === sent ? now : undefined;
    });
    expect(stats.in.packets).toBeLessThan(sent);
    expect(await exchange(web, far)).toBe(50);
  });

  it('shows counters since a reset, while ledger and meters go on, and remembers totals over a move', async () => {
    const id = await spine.portId('near');
    await exchange(near, far);
    const before = await until('the count', async () => {
      const { sent } = await near.received();
      return (await spine.stats('near')).in.packets === sent ? sent : undefined;
    });
    await spine.api.send('POST', `/v1/ports/${id}/reset-counters`, { reason: 'new tenant' });
    await near.moveTo('south', {
      // What a guest says before its new host knows it is read by nobody.
      beforeSwitch: async () => {
        await until('the destination', async () => (await spine.port('near'))?.status.standby ?? undefined);
        await spine.realised('north', 'south');
      },
      beforeUnplug: async () => void (await spine.bound('near', 'south')),
    });
    await spine.bound('near', 'south');
    await exchange(near, far, { count: 30 });
    const { sent } = await near.received();
    const told = await until('the count since', async () => {
      const now = await spine.describe('near');
      return now.stats.in.packets === sent - before ? now : undefined;
    });
    expect(told.stats.since).toMatchObject({ reason: 'new tenant' });
    const { unicast, multicast, broadcast } = told.ledger.total.in;
    expect(unicast.packets + multicast.packets + broadcast.packets).toBe(sent);
    const events = await spine.events('CountersReset', `port/${id}`);
    expect(events).toMatchObject([{ reason: 'new tenant', data: { reason: 'new tenant' } }]);
    const { points } = await until('a point after the move', async () => {
      const now = await spine.api.get<PortHistory>(`/v1/ports/${id}/history`);
      return now.points.at(-1)?.in.packets === sent ? now : undefined;
    });
    expect(new Set(points.map((p) => p.host))).toEqual(new Set(['north', 'south']));
    const totals = points.map((p) => p.in.packets);
    expect(totals).toEqual([...totals].sort((a, b) => a - b));
  });

  it('lost no process on the way', () => {
    expect(spine.deaths).toEqual([]);
  });
});
