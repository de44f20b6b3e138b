import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TABLES } from '#compiler';
import { arrivals, BRIDGE, exchange, HOSTS, Spine, until } from './spine.js';
import { type LabVm } from './net.js';

describe('what goes wrong on a host', () => {
  let spine: Spine;
  let web: LabVm;
  let peer: LabVm;

  beforeAll(async () => {
    spine = await Spine.start();
    web = await spine.guest('north', 'web', 'web');
    peer = await spine.guest('south', 'peer', 'web');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  const counted = (packets: number): Promise<boolean> =>
    until(`${packets} packets in the ledger`, async () => (await spine.stats('web')).in.packets === packets);
  /** Says what differs, if it comes to that. */
  const same = (flows: readonly string[]) => async (): Promise<boolean> => {
    expect(await spine.meaning('north')).toEqual(flows);
    return true;
  };
  const differences = async (): Promise<readonly string[]> =>
    (await spine.events('DriftObserved', 'host/north')).flatMap((e) =>
      (e.data['differences'] as { field: string }[]).map((d) => d.field),
    );

  it('passes all traffic while an agent is dead and comes back, and goes on counting', async () => {
    const before = await spine.flows('north');
    const { ledger } = await spine.describe('web');
    // A switch that stands still for half a second must not lose a frame: its sockets hold not quite 300.
    const sending = web.send({ to: peer, pps: 500 });
    const some = async (more: number): Promise<void> => {
      const { count } = await peer.receivedFrom(web);
      await until('traffic', async () => (await peer.receivedFrom(web)).count >= count + more);
    };
    await some(200);
    await spine.cluster.children.kill('host-agent-north');
    const dead = new Date().toISOString();
    await some(300);
    await spine.cluster.startAgent('north');
    await until('the agent', async () => ((await spine.host('north')).status.lastSeen ?? '') > dead);
    await spine.realised('north');
    await some(200);
    await web.stopSending();
    const { sent } = await sending;
    expect(await arrivals(web, peer, sent)).toBe(sent);
    expect(await peer.receivedFrom(web)).toMatchObject({ unique: sent, missing: [], duplicates: 0 });
    await counted((await web.received()).sent);
    const after = (await spine.describe('web')).ledger;
    expect(after.exact).toBe(true);
    expect(after.segments.map((s) => s.incarnation)).toEqual(ledger.segments.map((s) => s.incarnation));
    expect(await spine.flows('north')).toEqual(before);
  });

  it('repairs what others delete, and says what differed', async () => {
    const before = await spine.meaning('north');
    await spine.lab.ofctl('north', 'del-flows', BRIDGE, `table=${TABLES.SECURITY}`);
    await until('the repair', same(before));
    expect(await exchange(web, peer)).toBe(50);
    const [event] = await until('the event', async () => {
      const found = await spine.events('DriftObserved', 'host/north');
      return found.length > 0 ? found : undefined;
    });
    expect(event?.data).toMatchObject({ object: `bridge/${BRIDGE}`, repaired: true });
    const fields = await differences();
    expect(fields.filter((f) => f.startsWith('flow SECURITY')).length).toBe(
      before.filter((f) => f.includes(`table=${TABLES.SECURITY},`)).length,
    );
    expect(fields.every((f) => f.startsWith('flow SECURITY'))).toBe(true);
  });

  it('damps a storm of drift, and finds changes that nobody tells of', async () => {
    const before = await spine.meaning('north');
    const groups = await spine.lab.ofctl('north', 'dump-groups', BRIDGE);
    for (let i = 0; i < 20; i++)
      await spine.lab.ofctl('north', 'del-flows', BRIDGE, `table=${TABLES.FORWARD}`);
    const id = /group_id=([0-9]+)/.exec(groups)?.[1] ?? '';
    await spine.lab.ofctl('north', 'mod-group', BRIDGE, `group_id=${id},type=all`);
    await until('the group', async () => (await spine.lab.ofctl('north', 'dump-groups', BRIDGE)) === groups);
    expect(await spine.meaning('north')).toEqual(before);
    expect(await exchange(web, peer)).toBe(50);
    await until('the facts', async () => {
      const fields = await differences();
      return fields.includes(`group ${id}`) && fields.some((f) => f.startsWith('flow FORWARD'));
    });
    expect(await differences()).toContain('times');
    expect((await spine.events('DriftObserved')).length).toBeLessThan(5);
  });

  it('leaves alone what others add beside its own, and tells of it once', async () => {
    const flow = 'cookie=0x77,table=200,priority=1,actions=drop';
    await spine.lab.ofctl('north', 'add-flow', BRIDGE, flow);
    const foreign = async (): Promise<number> =>
      (await differences()).filter((f) => f.startsWith('foreign flow')).length;
    await until('the event', async () => ((await foreign()) > 0 ? true : undefined));
    await spine.override('web', { blocked: true });
    await spine.override('web', {});
    expect(await spine.lab.ofctl('north', 'dump-flows', BRIDGE, 'cookie=0x77/-1')).toContain('table=200');
    expect(await foreign()).toBe(1);
    await spine.lab.ofctl('north', 'del-flows', BRIDGE, 'table=200');
  });

  it('starts without the centre from its disk, and restores a restarted switch by itself', async () => {
    const before = await spine.meaning('north');
    await counted((await web.received()).sent);
    await spine.cluster.children.kill('host-agent-north');
    await spine.cluster.children.kill('nats-server');
    await spine.cluster.startAgent('north');
    await spine.lab.host('north').killVswitchd();
    await spine.lab.host('north').startVswitchd();
    await until('the flows', same(before));
    expect(await exchange(web, peer)).toBe(50);
    expect(await exchange(peer, web)).toBe(50);

    await spine.cluster.startNats();
    await until('the API', async () => (await spine.api.status()).leader !== null);
    await spine.realised(...HOSTS);
    await counted((await web.received()).sent);
    const { ledger } = await spine.describe('web');
    expect(ledger.segments).toMatchObject([{ inexact: { reason: expect.any(String) } }, { inexact: null }]);
    expect(spine.deaths).toEqual([]);
  });
});
