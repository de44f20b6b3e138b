import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestObstacle } from '../../deploy/setup/guest.js';
import { type LabVm } from './net.js';
import { Migrations, MovedStreams, phasesOf, segmentsOf } from './moved.js';
import { prepareGuests, QemuGuest, qemuEnv, type QemuRun } from './qemu.js';
import { streamOf, type Stream } from './sending.js';
import { BRIDGE, group, HOSTS, type LabHostName, Spine, until } from './spine.js';
import { Connections } from './tcp.js';

const obstacle = guestObstacle() as string | undefined;
const withGuests = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

const VLANS = [100, 101, 102, 103] as const;
const RARP = '8035';
/** So little that beyond its burst, of some 30 datagrams, next to nothing passes. */
const shapingIn = { average: 1_000, peak: 1_000, burst: 2_000 };
const TRUNK = { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 103 }] }, shapingIn };

withGuests(`guests of QEMU that are moved while they send${why}`, () => {
  let spine: Spine;
  let migrations: Migrations;
  let streams: MovedStreams;
  let connections: Connections;
  let outsider: LabVm;
  let web: QemuGuest;
  /** Two vNICs: a trunk, and one that says nothing, not even by its QEMU when it has arrived. */
  let duo: QemuGuest;
  let shaped: Stream;

  beforeAll(async () => {
    // QEMUs on south ask once more before they let a guest go.
    const env = (host: LabHostName, lab: Spine['lab']) => ({
      ...qemuEnv(host, lab),
      PORTOLAN_QEMU_PAUSE: host === 'south' ? 'yes' : 'no',
    });
    spine = await Spine.start(env);
    migrations = new Migrations(spine);
    await prepareGuests(spine.lab, HOSTS);
    const groups = [group('trunk', TRUNK), group('still', { vlan: { mode: 'access', id: 200 } })];
    await spine.api.apply(groups.join('\n---\n'));
    streams = await MovedStreams.to(spine);
    const client = await spine.guest('south', 'client', 'peers', { kernelIp: true });
    outsider = await spine.lab.addOutsider({ name: 'out', mac: '02:00:00:00:00:66', ip: '10.0.0.66' });
    const usual = { bridge: BRIDGE };
    const eth1 = { mac: '02:00:00:00:00:89', ifaceId: 'duo-eth1', profile: 'still' };
    web = new QemuGuest(spine.lab, {
      ...{ ...usual, name: 'web', mac: '02:00:00:00:00:77', ifaceId: 'web-eth0', profile: 'web' },
    });
    duo = new QemuGuest(spine.lab, {
      ...{ ...usual, name: 'duo', mac: '02:00:00:00:00:88', ifaceId: 'duo-eth0', profile: 'trunk' },
      ...{ more: [eth1], unannounced: true },
    });
    await Promise.all([web.boot('north'), duo.boot('north')]);
    for (const guest of [web, duo]) await at(guest, 'north');
    connections = await Connections.begin(spine.lab, web, client);
    shaped = { to: streams.peer, port: 6001, pps: 60, vlan: 100 };
    await web.generate(streams.all);
    await duo.generate([shaped]);
  });

  afterAll(async () => {
    await web?.stop();
    await duo?.stop();
    await spine?.stop();
  });

  const nameOf = (guest: QemuGuest): string => guest.options.name;
  /** Every port of it is active there, and the host has carried that out. */
  async function at(guest: QemuGuest, host: LabHostName): Promise<void> {
    const count = 1 + (guest.options.more ?? []).length;
    await until(`${nameOf(guest)} on ${host}`, async () => {
      const { items } = await spine.api.ports(`?owner=${nameOf(guest)}`);
      const there = items.filter(({ status: { state, active, standby, retiring } }) => {
        const isHere = active?.host === host && standby === null && retiring.length === 0;
        return state === 'bound' && isHere;
      });
      return there.length === count || undefined;
    });
    await spine.realised(host);
  }

  /** What whoever runs VMs does when Portolan says that a guest may come: plugs it, and lets a QEMU wait for it. */
  async function receive(guest: QemuGuest, host: LabHostName, incoming?: string): Promise<QemuRun> {
    const next = await guest.plugAt(host);
    await next.start(incoming ?? guest.incoming(host));
    return next;
  }

  async function arrived(guest: QemuGuest, id: string, to: LabHostName, from: QemuRun): Promise<void> {
    const done = await migrations.ended(id);
    expect(done).toMatchObject({ origin: 'operator', phase: 'completed', destination: to });
    expect(phasesOf(done)).toEqual(['admitted', 'prepared', 'moving', 'switched', 'completed']);
    await migrations.pauseTold(id);
    // The agent ends the QEMU whose guest has gone: nobody can let it run twice.
    await from.gone;
    await at(guest, to);
  }

  const arrivedOf = async (stream: Stream): Promise<number> =>
    (await streams.peer.received()).streams[streamOf(stream)]?.count ?? 0;

  /** Of 150 datagrams that are sent from now on, hardly more than a burst gets through. */
  async function expectShaped(): Promise<void> {
    const count = async () => (await duo.generated([shaped]))[0] ?? 0;
    const before = { sent: await count(), arrived: await arrivedOf(shaped) };
    await until('more to be sent', async () => (await count()) - before.sent >= 150 || undefined);
    expect((await arrivedOf(shaped)) - before.arrived).toBeLessThan(80);
  }

  /** VLANs in which the guest was announced to the switches outside. */
  async function announced(mac: string): Promise<ReadonlySet<number>> {
    const { recent } = await outsider.received();
    const from = mac.replaceAll(':', '');
    const ours = recent.filter(({ hex }) => hex.slice(12, 24) === from && hex.includes(RARP));
    return new Set(ours.map(({ vlan }) => vlan ?? 0));
  }

  /** The migration that began when somebody plugged the guest at another host. */
  const observed = (guest: QemuGuest) =>
    until(`${nameOf(guest)} to be seen on its way`, async () => {
      const id = await migrations.latest();
      const m = id === undefined ? undefined : await spine.api.migration(id);
      const isIt = m?.origin === 'observed' && m.owner === nameOf(guest) && m.phase === 'moving';
      return isIt ? m.id : undefined;
    });

  it('go two at once by the operator’s word, also to a QEMU that has to be told to listen', async () => {
    await expectShaped();
    const [webHere, duoHere] = [web.run, duo.run];
    const ids = [await migrations.ask('web', 'south'), await migrations.ask('duo', 'south')] as const;
    await expect(migrations.ask('web', 'south')).rejects.toThrow(/ports\.p\d+.*is being moved by migration/);
    for (const id of ids) await migrations.phase(id, 'moving');
    // At once: a guest is held until its host has its interface and its policy.
    await Promise.all([receive(web, 'south'), receive(duo, 'south', 'defer')]);
    await arrived(web, ids[0], 'south', webHere);
    await arrived(duo, ids[1], 'south', duoHere);
    await expectShaped();
  });

  it('go on with what they were in the middle of, whoever speaks first, and no other connection goes on', async () => {
    await connections.goOn();
    await connections.expectNoOther();
  });

  it('are announced outside in each VLAN of a trunk, from where they are', async () => {
    const { mac } = duo.options;
    await until('announcements', async () => {
      const seen = await announced(mac);
      return VLANS.every((vlan) => seen.has(vlan)) || undefined;
    });
    const learned = await spine.lab.inFabric('bridge', 'fdb', 'show', 'br', 'fabric');
    const line = learned.split('\n').find((l) => l.startsWith(mac));
    expect(line).toContain(`dev ${spine.lab.fabricPort('south', 'up0')} `);
  });

  it('go back, one by a QEMU that asks once more before it lets the guest go', async () => {
    const here = web.run;
    const id = await migrations.ask('web', 'north');
    await migrations.phase(id, 'moving');
    await receive(web, 'north');
    await arrived(web, id, 'north', here);
    await connections.goOn();
  });

  it('go back by somebody’s own hand, a silent vNIC by the word of its QEMU', async () => {
    const here = duo.run;
    await receive(duo, 'north');
    const id = await observed(duo);
    await here.qmp('migrate', { uri: duo.incoming('north') });
    await until('its ports to follow', async () => (await spine.api.migration(id)).phase !== 'moving');
    await here.kill();
    const done = await migrations.ended(id);
    expect(done).toMatchObject({ origin: 'observed', phase: 'completed', destination: 'north' });
    await at(duo, 'north');
    expect(await spine.lab.vsctl('south', 'list-ports', BRIDGE)).not.toMatch(/web|duo/);
  });

  it('stay where they are when that is called off by hand while memory is copied', async () => {
    const here = web.run;
    await here.qmp('migrate-set-parameters', { 'max-bandwidth': 200_000 });
    const there = await receive(web, 'south');
    const id = await observed(web);
    await here.qmp('migrate', { uri: web.incoming('south') });
    await copying(here);
    await here.qmp('migrate_cancel');
    const { phase, reason } = await migrations.ended(id);
    // The source's QEMU says so, and that at the destination ends by itself: whichever is heard of first.
    expect(`${phase}: ${reason}`).toMatch(/^(failed: it was called off by hand|aborted: its interface left)/);
    // Its QEMU ends by itself: what it waited for won't come.
    await there.gone;
    await at(web, 'north');
    expect(await here.qmp('query-status')).toMatchObject({ status: 'running' });
  });

  const copying = (run: QemuRun) =>
    until('memory to be copied', async () => {
      const { status } = (await run.qmp('query-migrate')) as { readonly status?: string };
      return status === 'active' || undefined;
    });

  it('stay where they are when the operator calls it off', async () => {
    const epoch = (await spine.port('web'))?.status.active?.epoch;
    const here = web.run;
    const id = await migrations.ask('web', 'south');
    await migrations.phase(id, 'moving');
    const there = await receive(web, 'south');
    await copying(here);
    await migrations.abort(id);
    expect(await migrations.ended(id)).toMatchObject({ phase: 'aborted', destination: 'south' });
    await there.gone;
    await at(web, 'north');
    expect((await spine.port('web'))?.status.active).toEqual({ host: 'north', epoch });
    expect(await here.qmp('query-status')).toMatchObject({ status: 'running' });
  });

  it('were counted to the packet, and what they sent came once and as the policy allows', async () => {
    await streams.flow();
    await connections.goOn();
    await connections.end();
    await streams.expectExact(spine, web, 'web', 2);
    expect((await spine.stats('web')).in.packets).toBe(await web.framesIn());
    // The last two are of standbys that were given up: nothing came from there.
    expect(await segmentsOf(spine, 'web')).toEqual([
      ['north', true, true],
      ['south', true, true],
      ['north', false, true],
      ['south', true, false],
      ['south', true, false],
    ]);
    await duo.stopGenerating([shaped]);
    const sent = await duo.transmitted();
    expect([await duo.framesIn(0), await duo.framesIn(1)]).toEqual([sent, 0]);
    const { items } = await spine.api.ports('?owner=duo');
    const idOf = (nic: string) =>
      items.find((port) => port.status.connectee?.ifaceId === nic)?.metadata.name ?? 'none';
    const ids = [idOf('duo-eth0'), idOf('duo-eth1')];
    const stats = async () => {
      const all = await Promise.all(ids.map((id) => spine.api.stats(id)));
      return all.map(({ in: { packets }, exact }) => ({ packets, exact }));
    };
    await until('the ledger to agree', async () => (await stats())[0]?.packets === sent || undefined);
    expect(await stats()).toEqual([
      { packets: sent, exact: true },
      { packets: 0, exact: true },
    ]);
    expect(spine.deaths).toEqual([]);
  });
});
