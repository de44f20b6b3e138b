import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exchange, Spine } from './spine.js';
import { type LabVm } from './net.js';

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
  }, 90_000);

  afterAll(async () => {
    await spine?.stop();
  }, 30_000);

  it('connects a VLAN across hosts, and keeps another apart', async () => {
    expect(await exchange(web, peer)).toBe(50);
    expect(await exchange(peer, web)).toBe(50);
    expect(await exchange(web, db)).toBe(0);
    await web.send({ to: 'broadcast', count: 10, pps: 200 });
    expect(await exchange(web, peer)).toBe(50);
    expect((await peer.receivedFrom(web, 'broadcast')).count).toBe(10);
    expect((await db.receivedFrom(web, 'broadcast')).count).toBe(0);
  });
});
