import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { libvirtObstacle } from '../../deploy/setup/libvirt.js';
import { LibvirtWorld } from './chaos/libvirt-world.js';
import { libvirtEnv, type LibvirtGuest, type LibvirtLab } from './libvirt.js';
import { type Migrations, type MovedStreams, phasesOf, segmentsOf } from './moved.js';
import { PortDataWatch } from './port-data.js';
import { HOSTS, type LabHostName, type Spine, until } from './spine.js';
import { Connections } from './tcp.js';

const obstacle = libvirtObstacle() as string | undefined;
const withLibvirt = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

withLibvirt(`a guest of libvirt that is moved while it sends${why}`, () => {
  let spine: Spine;
  let migrations: Migrations;
  let libvirt: LibvirtLab;
  let web: LibvirtGuest;
  let streams: MovedStreams;
  let connections: Connections;
  let rows: Readonly<Record<LabHostName, PortDataWatch>>;

  /**
   * The revision that the guest of a port's only vNIC brought along: as libvirt wrote it in the destination's row, as
   * the history has it, and not ahead of what the destination carried out itself.
   */
  async function expectBrought(id: string, to: LabHostName): Promise<void> {
    const { handover, ports } = await until('what the guest brought along', async () => {
      const told = await migrations.describe(id);
      return typeof told.handover[0]?.carried === 'number' ? told : undefined;
    });
    const [{ port, granted, realised, carried }] = handover as [(typeof handover)[number]];
    const { lineage } = await spine.api.status();
    const [{ epoch }] = ports as [(typeof ports)[number]];
    const form = { epoch, lineage, port, portolan: 1, revision: carried };
    expect(rows[to].of(web.options.ifaceId)).toContain(JSON.stringify(form));
    expect(carried).toBeGreaterThanOrEqual(granted);
    expect(realised).toBeGreaterThanOrEqual(carried ?? Infinity);
    await rows[to].gone(web.options.ifaceId);
  }

  beforeAll(async () => {
    const world = await LibvirtWorld.start((host, lab) => ({
      ...libvirtEnv(host, lab),
      // One way there, the other back.
      PORTOLAN_LIBVIRT_OPTIONS: host === 'north' ? 'direct' : '',
    }));
    ({ spine, migrations, libvirt, guest: web, streams } = world);
    const client = await spine.guest('south', 'client', 'peers', { kernelIp: true });
    connections = await Connections.begin(spine.lab, web, client);
    const [north, south] = await Promise.all(HOSTS.map((host) => PortDataWatch.start(spine.lab.host(host))));
    if (north === undefined || south === undefined) throw new Error('two hosts are needed');
    for (const each of [north, south]) spine.lab.hold(each);
    rows = { north, south };
  });

  afterAll(async () => {
    await spine?.stop();
  });

  it('is followed when somebody moves it with virsh', async () => {
    // So slow that the source hears of it in time.
    await libvirt.at('north').virsh('migrate-setspeed', web.uuid, '1');
    const moved = web.migrate('south');
    await rows.north.stands(web.options.ifaceId);
    await libvirt.at('north').virsh('migrate-setspeed', web.uuid, '1000');
    await moved;
    const id = await until('a migration to be seen', () => migrations.latest());
    const done = await migrations.ended(id);
    expect(done).toMatchObject({
      origin: 'observed',
      phase: 'completed',
      source: 'north',
      destination: 'south',
    });
    expect(phasesOf(done).slice(-2)).toEqual(['switched', 'completed']);
    await migrations.at(web.uuid, 'south');
    await expectBrought(id, 'south');
    await connections.goOn();
    await connections.expectNoOther();
  });

  it('goes by the operator’s word, its policy first', async () => {
    const id = await migrations.ask(web.uuid, 'north');
    const done = await migrations.ended(id);
    expect(done).toMatchObject({ origin: 'operator', phase: 'completed', destination: 'north' });
    await migrations.pauseTold(id);
    expect(phasesOf(done)).toEqual(['admitted', 'prepared', 'moving', 'switched', 'completed']);
    await migrations.at(web.uuid, 'north');
    await web.movedTo('north');
    await expectBrought(id, 'north');
    await connections.goOn();
  });

  it('brings nothing along that another program wrote, which stays, and comes all the same', async () => {
    const theirs = '{"revision":1000000}';
    const { ifaceId } = web.options;
    await rows.north.write(ifaceId, theirs);
    const id = await migrations.ask(web.uuid, 'south');
    expect(await migrations.ended(id)).toMatchObject({ phase: 'completed', destination: 'south' });
    await migrations.at(web.uuid, 'south');
    await web.movedTo('south');
    expect([rows.north.of(ifaceId).at(-1), rows.south.of(ifaceId).at(-1)]).toEqual([theirs, theirs]);
    const { handover } = await migrations.describe(id);
    expect(handover).toMatchObject([{ carried: null, realised: expect.any(Number) }]);
    await rows.south.write(ifaceId, null);
    await connections.goOn();
  });

  it('stays where it is when that is called off while its memory is copied', async () => {
    await libvirt.at('south').virsh('migrate-setspeed', web.uuid, '1');
    const id = await migrations.ask(web.uuid, 'north');
    await web.leaving();
    await rows.south.stands(web.options.ifaceId);
    await migrations.abort(id);
    expect(await migrations.ended(id)).toMatchObject({ phase: 'aborted' });
    await migrations.at(web.uuid, 'south');
    await rows.south.gone(web.options.ifaceId);
    expect(await libvirt.at('south').virsh('domstate', web.uuid)).toContain('running');
  });

  it('stays where it is when its QEMU at the destination dies', async () => {
    const id = await migrations.ask(web.uuid, 'north');
    await web.leaving();
    await libvirt.at('north').killGuest('web');
    const { phase, reason } = await migrations.ended(id);
    // In libvirt's words: of the end that it heard of first.
    const why = /unexpectedly closed the monitor|job 'migration out' failed/;
    expect([phase, reason]).toEqual(['failed', expect.stringMatching(why)]);
    await migrations.at(web.uuid, 'south');
  });

  it('was counted to the packet, and what it sent came once and as the policy allows', async () => {
    await streams.flow();
    await connections.goOn();
    await connections.end();
    await streams.expectExact(spine, web, web.uuid, 3);
    expect(await segmentsOf(spine, web.uuid)).toEqual([
      ['north', true, true],
      ['south', true, true],
      ['north', true, true],
      ['south', false, true],
      ['north', true, false],
      ['north', true, false],
    ]);
    expect(spine.deaths).toEqual([]);
  });
});
