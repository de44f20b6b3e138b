import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { libvirtObstacle } from '../../deploy/setup/libvirt.js';
import { LibvirtWorld } from './chaos/libvirt-world.js';
import { libvirtEnv, type LibvirtGuest, type LibvirtLab } from './libvirt.js';
import { type Migrations, type MovedStreams, phasesOf, segmentsOf } from './moved.js';
import { type Spine, until } from './spine.js';
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

  beforeAll(async () => {
    const world = await LibvirtWorld.start((host, lab) => ({
      ...libvirtEnv(host, lab),
      // One way there, the other back.
      PORTOLAN_LIBVIRT_OPTIONS: host === 'south' ? 'direct' : '',
    }));
    ({ spine, migrations, libvirt, guest: web, streams } = world);
    const client = await spine.guest('south', 'client', 'peers', { kernelIp: true });
    connections = await Connections.begin(spine.lab, web, client);
  });

  afterAll(async () => {
    await spine?.stop();
  });

  it('is followed when somebody moves it with virsh', async () => {
    await web.migrate('south');
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
    await connections.goOn();
  });

  it('stays where it is when that is called off while its memory is copied', async () => {
    await libvirt.at('north').virsh('migrate-setspeed', web.uuid, '1');
    const id = await migrations.ask(web.uuid, 'south');
    await web.leaving();
    await migrations.abort(id);
    expect(await migrations.ended(id)).toMatchObject({ phase: 'aborted' });
    await migrations.at(web.uuid, 'north');
    expect(await libvirt.at('north').virsh('domstate', web.uuid)).toContain('running');
  });

  it('stays where it is when its QEMU at the destination dies', async () => {
    const id = await migrations.ask(web.uuid, 'south');
    await web.leaving();
    await libvirt.at('south').killGuest('web');
    const { phase, reason } = await migrations.ended(id);
    // In libvirt's words: of the end that it heard of first.
    const why = /unexpectedly closed the monitor|job 'migration out' failed/;
    expect([phase, reason]).toEqual(['failed', expect.stringMatching(why)]);
    await migrations.at(web.uuid, 'north');
  });

  it('was counted to the packet, and what it sent came once and as the policy allows', async () => {
    await streams.flow();
    await connections.goOn();
    await connections.end();
    await streams.expectExact(spine, web, web.uuid, 2);
    expect(await segmentsOf(spine, web.uuid)).toEqual([
      ['north', true, true],
      ['south', true, true],
      ['north', false, true],
      ['south', true, false],
      ['south', true, false],
    ]);
    expect(spine.deaths).toEqual([]);
  });
});
