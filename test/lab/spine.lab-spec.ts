import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RuleLogList, type WriteResult } from '#contracts/http';
import { BRIDGE, exchange, group, HOSTS, Spine, until } from './spine.js';
import { type LabVm, type StreamReceived } from './net.js';

const WEB = { vlan: { mode: 'access', id: 10 } };
/** Octets of a frame where its rate is measured. */
const size = 1_000;
const rule = (name: string, direction: 'in' | 'out' | 'both', dstPort: number) => ({
  name,
  direction,
  action: 'drop',
  match: { ipProtocol: 17, dstPort: { from: dstPort, to: dstPort } },
});

/** One cluster of real processes on two real switches: policy goes in by HTTP and is seen on packets. */
describe('policy on two hosts', () => {
  let spine: Spine;
  let web: LabVm;
  let peer: LabVm;
  let db: LabVm;

  beforeAll(async () => {
    spine = await Spine.start();
    web = await spine.guest('north', 'web', 'web');
    peer = await spine.guest('south', 'peer', 'web');
    db = await spine.guest('south', 'db', 'db');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  it('connects a VLAN across hosts, and keeps another apart', async () => {
    expect(await exchange(web, peer)).toBe(50);
    expect(await exchange(peer, web)).toBe(50);
    expect(await exchange(web, db)).toBe(0);
    await web.send({ to: 'broadcast', count: 10, pps: 200 });
    expect(await exchange(web, peer)).toBe(50);
    expect((await peer.receivedFrom(web, 'broadcast')).count).toBe(10);
    expect((await db.receivedFrom(web, 'broadcast')).count).toBe(0);
  });

  it('blocks a port in both directions, and lets it go again', async () => {
    await spine.override('web', { blocked: true });
    expect(await exchange(web, peer)).toBe(0);
    expect(await exchange(peer, web)).toBe(0);
    await spine.override('web', {});
    expect(await exchange(web, peer)).toBe(50);
    expect(await exchange(peer, web)).toBe(50);
  });

  it('moves a port to another group live: what it sends goes on being counted, in its new VLAN', async () => {
    const id = await spine.portId('web');
    const before = await spine.describe('web');
    const sending = web.send({ to: db, pps: 1_000 });
    const moved = async (to: string) =>
      (await spine.api.send<WriteResult>('POST', `/v1/ports/${id}/move?wait=20`, { group: to })).realised;
    expect(await moved('db')).toMatchObject({ realised: true });
    await until('frames in the new VLAN', async () => (await db.receivedFrom(web)).count > 100);
    await web.stopSending();
    await sending;
    expect(await exchange(web, peer)).toBe(0);
    expect(await exchange(db, web)).toBe(50);
    const { sent } = await web.received();
    await until('the count', async () => (await spine.stats('web')).in.packets === sent);
    const after = await spine.describe('web');
    expect(after.port.status.active).toEqual(before.port.status.active);
    expect(after.ledger.segments).toHaveLength(before.ledger.segments.length);
    expect(await moved('web')).toMatchObject({ realised: true });
    expect(await exchange(web, peer)).toBe(50);
    expect(await exchange(web, db)).toBe(0);
  });

  it('drops a forged source address, and counts it as sent', async () => {
    expect(await exchange(web, peer, { srcMac: '02:00:00:00:0f:0f' })).toBe(0);
    expect(await exchange(web, peer)).toBe(50);
    const { sent } = await web.received();
    await until('the count', async () => (await spine.stats('web')).in.packets === sent);
  });

  it('drops what a filter rule names, and nothing else', async () => {
    const log = { perSecond: 1 };
    await spine.override('peer', { filter: [{ ...rule('no-7001', 'out', 7001), log }] });
    expect(await exchange(web, peer, { dstPort: 7001 })).toBe(0);
    expect(await exchange(web, peer, { dstPort: 7002 })).toBe(50);
    expect(await exchange(peer, web, { dstPort: 7001 })).toBe(50);
    const flows = await spine.flows('south');
    // UDP over IPv4 and over IPv6.
    expect(flows.filter((f) => f.includes('tp_dst=7001'))).toHaveLength(2);
    expect((await spine.flows('north')).filter((f) => f.includes('tp_dst=7001'))).toEqual([]);
    await until('the rule’s hits', async () => ((await spine.stats('peer')).ruleHits['no-7001'] ?? 0) >= 50);
    const { items } = await spine.api.get<RuleLogList>('/v1/logs?rule=no-7001');
    expect(items[0]).toMatchObject({
      ...{ host: 'south', port: await spine.portId('peer'), direction: 'out', verdict: 'drop' },
      ip: { src: web.ip, dst: peer.ip, protocol: 17, dstPort: 7001 },
    });
    await spine.override('peer', {});
    expect(await exchange(web, peer, { dstPort: 7001 })).toBe(50);
  });

  it.each(['in', 'out'] as const)('shapes %s to within a tenth of the rate', async (direction) => {
    const rate = 4_000_000;
    const shaping = { average: rate, peak: rate, burst: 50_000 };
    await spine.override('web', direction === 'in' ? { shapingIn: shaping } : { shapingOut: shaping });
    const [from, to] = direction === 'in' ? [web, peer] : [peer, web];
    const rateOf = (a: StreamReceived, b: StreamReceived) =>
      ((b.count - a.count) * size * 8) / ((b.lastAt - a.lastAt) / 1_000);
    const { count } = await to.receivedFrom(from);
    const sending = from.send({ to, pps: 1_200, size });
    const passed = (more: number) =>
      until(`${more} frames`, async () => {
        const now = await to.receivedFrom(from);
        return now.count >= count + more ? now : undefined;
      });
    // The bucket is empty from the first reading on: what passes between the first and the last is the rate.
    const readings = [await passed(250), await passed(750), await passed(1_250), await passed(1_750)];
    await from.stopSending();
    await sending;
    const [first, ...later] = readings as [StreamReceived, ...StreamReceived[]];
    const rates = later.map((now, i) => rateOf(readings[i] ?? first, now));
    expect(rateOf(first, later.at(-1) ?? first)).toBeLessThan(1.1 * rate);
    // On a machine so busy that a switch stands still for longer than the bucket fills, less passes for a while.
    expect(Math.max(...rates)).toBeGreaterThan(0.9 * rate);
    await spine.override('web', {});
  });

  it('lets no later packet through on either host once the change is said to be realised', async () => {
    for (let round = 0; round < 3; round++) {
      const sending = [web.send({ to: peer, pps: 2_000 }), peer.send({ to: web, pps: 2_000 })];
      const before = await Promise.all([peer.receivedFrom(web), web.receivedFrom(peer)]);
      await until('traffic both ways', async () => {
        const now = await Promise.all([peer.receivedFrom(web), web.receivedFrom(peer)]);
        return now.every((n, i) => n.count > (before[i]?.count ?? 0) + 200);
      });
      const done = await spine.api.apply(group('web', { ...WEB, filter: [rule('none', 'in', 4001)] }));
      const answeredAt = Date.now() + 1;
      expect(done.realised).toMatchObject({ realised: true, hosts: 2, of: 2 });
      const sent = (await web.received()).sent;
      await until('more to be sent', async () => (await web.received()).sent > sent + 500);
      await web.stopSending();
      await peer.stopSending();
      await Promise.all(sending);
      // By the time of sending: what the first switch had let through before may be on its way to the second.
      expect(await web.sentAt(peer, (await peer.receivedFrom(web)).last)).toBeLessThan(answeredAt);
      expect(await peer.sentAt(web, (await web.receivedFrom(peer)).last)).toBeLessThan(answeredAt);
      await spine.api.apply(group('web', WEB));
      expect(await exchange(web, peer)).toBe(50);
    }
  });

  it('quarantines interfaces whose marks make no sense, says so, and goes on', async () => {
    const marks = [
      { name: 'x1', ifaceId: 'not an id' },
      { name: 'x2', ifaceId: 'x2-eth0', externalIds: { 'attached-mac': '' } },
      { name: 'x3', ifaceId: 'x3-eth0', profile: '../etc' },
      { name: 'x4', ifaceId: 'x4-eth0', externalIds: { 'attached-mac': 'ff:ff:ff:ff:ff:ff' } },
    ];
    const REFUSALS = [
      /malformed.*not an id/,
      /malformed.*mac ""/,
      /no-group.*etc/,
      /malformed.*ff:ff:ff:ff:ff:ff/,
    ];
    const odd: LabVm[] = [];
    for (const [i, m] of marks.entries()) {
      odd.push(
        await spine.lab.addVm('north', {
          bridge: BRIDGE,
          mac: `02:00:00:00:0e:0${i}`,
          ip: `10.0.9.${i}`,
          profile: 'web',
          ...m,
        }),
      );
    }
    const told = await until('the refusals', async () => {
      const found = await spine.events('FactRefused', 'host/north');
      return found.length >= odd.length ? found.map((e) => e.sentence) : undefined;
    });
    for (const [i, vm] of odd.entries()) {
      expect(told.some((sentence) => REFUSALS[i]?.test(sentence))).toBe(true);
      expect(await spine.port(vm.name)).toBeUndefined();
      expect(await exchange(vm, peer, { count: 10 })).toBe(0);
    }
    await spine.guest('north', 'late', 'web');
    expect(await exchange(web, peer)).toBe(50);
    for (const vm of odd) for (const plug of [...vm.pluggedAt]) await vm.unplug(plug);
  });

  it('lost no process on the way, and nothing is left to be repaired', async () => {
    expect(spine.deaths).toEqual([]);
    await spine.realised(...HOSTS);
    expect(await spine.events('DriftObserved')).toEqual([]);
  });
});
