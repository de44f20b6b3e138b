import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { libvirtObstacle } from '../../deploy/setup/libvirt.js';
import { libvirtEnv, LibvirtGuest, LibvirtLab } from './libvirt.js';
import { Migrations, MOVED_POLICY, MovedStreams, phasesOf, segmentsOf } from './moved.js';
import { BRIDGE, group, HOSTS, Spine, until } from './spine.js';

const obstacle = libvirtObstacle() as string | undefined;
const withLibvirt = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

withLibvirt(`a guest of libvirt that is moved while it sends${why}`, () => {
  let spine: Spine;
  let migrations: Migrations;
  let libvirt: LibvirtLab;
  let web: LibvirtGuest;
  let streams: MovedStreams;

  beforeAll(async () => {
    spine = await Spine.start(libvirtEnv);
    migrations = new Migrations(spine);
    libvirt = await LibvirtLab.start(spine.lab, HOSTS);
    await spine.api.apply(group('web', MOVED_POLICY));
    const peer = await spine.guest('south', 'peer', 'web');
    const far = await spine.guest('north', 'far', 'web');
    web = new LibvirtGuest(libvirt, {
      name: 'web',
      mac: '02:00:00:00:00:77',
      bridge: BRIDGE,
      ifaceId: randomUUID(),
      profile: 'web',
    });
    await web.boot('north');
    await spine.bound(web.uuid, 'north');
    streams = new MovedStreams(peer, far);
    await web.generate(streams.all);
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
  });

  it('goes by the operator’s word, its policy first', async () => {
    const id = await migrations.ask(web.uuid, 'north');
    const done = await migrations.ended(id);
    expect(done).toMatchObject({ origin: 'operator', phase: 'completed', destination: 'north' });
    expect(phasesOf(done)).toEqual(['admitted', 'prepared', 'moving', 'switched', 'completed']);
    await migrations.at(web.uuid, 'north');
    await web.movedTo('north');
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
