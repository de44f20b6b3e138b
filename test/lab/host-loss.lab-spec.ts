import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LEASE } from '#domain';
import { TABLES } from '#compiler';
import { BRIDGE, exchange, Spine, until, type LabHostName } from './spine.js';
import { type LabVm } from './net.js';

/** As `group` of the spine, of a group that isolates. */
const APART = `apiVersion: portolan.dev/v1
kind: PortGroup
metadata: { name: apart }
spec:
  switch: lan
  ports: 4
  partitionPolicy: isolate
  policy: { vlan: { mode: access, id: 10 } }
`;

/** Of an agent's log, its last. */
const LINES = 30;

/** To the next run of the agent its machine was down since. */
async function anotherBoot(file: string): Promise<void> {
  const memory = JSON.parse(await readFile(file, 'utf8')) as { readonly boot: string };
  await writeFile(file, JSON.stringify({ ...memory, boot: 'an earlier one' }));
}

/** Two real switches, one of whose agents is killed: what its guests can still do, and when another host may have them. */
describe('a host that is lost', () => {
  let spine: Spine;
  let web: LabVm;
  let twin: LabVm;
  let local: LabVm;
  let peer: LabVm;

  beforeAll(async () => {
    spine = await Spine.start();
    await spine.api.apply(APART);
    web = await spine.guest('north', 'web', 'apart');
    local = await spine.guest('north', 'local', 'web');
    peer = await spine.guest('south', 'peer', 'web');
  });

  afterAll(async () => {
    await spine?.stop();
  });

  const flowsIn = (host: LabHostName, table: keyof typeof TABLES): Promise<string> =>
    spine.lab.ofctl(host, 'dump-flows', BRIDGE, `table=${TABLES[table]}`);
  const rows = async (table: keyof typeof TABLES): Promise<number> =>
    (await flowsIn('north', table)).split('actions=').length - 1;
  /** What stands for it at its host, if it comes to that. */
  const heard = (from: LabVm, to: LabVm, host: LabHostName) => async (): Promise<boolean> => {
    if ((await exchange(from, to, { count: 3 })) > 0) return true;
    const tables = ['LEASE', 'ACTIVITY', 'RENEW', 'GATE_IN', 'GUARD_IN'] as const;
    const flows = await Promise.all(tables.map((table) => flowsIn(host, table)));
    const log = await readFile(spine.cluster.children.logOf(`host-agent-${host}`), 'utf8');
    const port = JSON.stringify((await spine.port('web'))?.status);
    throw new Error([...flows, ...log.split('\n').slice(-LINES), port].join('\n'));
  };
  const claim = async () => (await spine.port('web'))?.status.claim;

  it('keeps its lease by its agent, at no cost for the cached decisions of its switch', async () => {
    await until('the lease', async () => (await rows('LEASE')) === 2);
    expect(await exchange(web, peer)).toBe(50);
    const flows = await spine.flows('north');
    const revalidations = () => spine.lab.host('north').appctl('coverage/read-counter', 'rev_flow_table');
    const before = await revalidations();
    await new Promise((resolve) => setTimeout(resolve, 2 * LEASE.everyMs + 500));
    expect(await revalidations()).toBe(before);
    expect(await spine.flows('north')).toEqual(flows);
    expect(await spine.events('DriftObserved')).toEqual([]);
  });

  it('closes what isolates by itself with its agent dead, and only then it opens elsewhere', async () => {
    const sent = (await web.received()).sent;
    await until('a checkpoint', async () => (await spine.stats('web')).in.packets === sent);
    await spine.cluster.children.kill('host-agent-north');
    // Whoever granted it its lease is gone with it: what that was, the next leader has to reckon with.
    const leader = await until('a leader', async () => (await spine.api.status()).leader);
    await spine.cluster.children.kill(`switch-${leader}`);
    await until('another leader', async () => {
      const now = (await spine.api.status()).leader;
      return now !== null && now !== leader;
    });
    // The same guest, started at south by somebody who gave north up.
    const ids = { 'vm-id': 'web' };
    const { mac, ip, ifaceId, profile } = web.options;
    await new Promise((resolve) => setTimeout(resolve, LEASE.silentMs + 500));
    twin = await spine.lab.addVm('south', {
      bridge: BRIDGE,
      name: 'twin',
      mac,
      ip,
      ...(ifaceId === undefined ? {} : { ifaceId }),
      ...(profile === undefined ? {} : { profile }),
      externalIds: ids,
    });
    const why = await until('south to wait', claim);
    expect(why).toMatchObject({
      host: 'south',
      reason: expect.stringMatching(/north.*not heard of.*isolate/),
    });
    // While it waits, no frame of both gets through at once: north's until its lease is over, south's not at all.
    let both = 0;
    await until(
      'the takeover',
      async () => {
        const [north, south] = [
          await exchange(web, local, { count: 3 }),
          await exchange(twin, peer, { count: 3 }),
        ];
        if (north > 0 && south > 0) both += 1;
        return (await spine.port('web'))?.status.active?.host === 'south';
      },
      60_000,
    );
    expect(both).toBe(0);
    await spine.realised('south');
    expect(await rows('LEASE')).toBe(0);
    // The first port of south that isolates opens when its first lease was granted.
    await until('the guest to be heard', heard(twin, peer, 'south'));
    expect(await exchange(twin, peer)).toBe(50);
    expect(await exchange(peer, twin)).toBe(50);
    expect([await exchange(web, local), await exchange(web, peer)]).toEqual([0, 0]);
    // What does not isolate runs on.
    expect(await exchange(local, peer)).toBe(50);
  });

  it('goes on with the ledger from its last checkpoint, and says what is missing', async () => {
    const { ledger } = await spine.describe('web');
    expect(ledger.segments).toMatchObject([
      { host: 'north', epoch: 1, inexact: { reason: expect.stringMatching(/taken over/) } },
      { host: 'south', epoch: 2, closedAt: null },
    ]);
  });

  it('is fenced when it comes back: without the centre, and with it', async () => {
    await spine.cluster.children.kill('nats-server');
    await spine.cluster.startAgent('north');
    await until('its agent', async () => (await rows('LEASE')) > 0);
    expect(await exchange(web, local)).toBe(0);
    expect(await exchange(local, peer)).toBe(50);
    // The same after a reboot: its database still has all that was plugged, its disk what it was to do then.
    await spine.cluster.children.kill('host-agent-north');
    await spine.lab.host('north').restartVswitchd();
    expect([await exchange(web, local), await exchange(local, peer)]).toEqual([0, 0]);
    await anotherBoot(join(spine.cluster.options.home, 'hosts', 'north', 'memory.json'));
    await spine.cluster.startAgent('north');
    await until('its agent', async () => (await spine.flows('north')).length > 0);
    expect([await exchange(web, local), await exchange(local, peer)]).toEqual([0, 0]);
    await spine.cluster.startNats();
    await until('the API', async () => (await spine.api.status()).leader !== null);
    await spine.realised('north', 'south');
    expect(await until('the twin to be told of', claim)).toMatchObject({
      host: 'north',
      reason: expect.stringMatching(/twin/),
    });
    expect([await exchange(web, local), await exchange(web, peer)]).toEqual([0, 0]);
    // What keeps opens when its host has heard of the centre, and what isolates with the first lease after all that.
    await until('local to be heard', heard(local, peer, 'north'));
    await until('the guest to be heard', heard(twin, peer, 'south'));
    expect(await exchange(local, peer)).toBe(50);
    expect(await exchange(twin, peer)).toBe(50);
    expect(await exchange(local, twin)).toBe(50);
    expect((await spine.port('web'))?.status.active).toMatchObject({ host: 'south', epoch: 2 });
    expect(spine.deaths).toEqual([]);
  });
});
