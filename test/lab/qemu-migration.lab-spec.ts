import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestObstacle } from '../../deploy/setup/guest.js';
import { Migrations, MOVED_POLICY, MovedStreams, phasesOf, segmentsOf } from './moved.js';
import { prepareGuests, QemuGuest, qemuEnv, type QemuRun } from './qemu.js';
import { BRIDGE, group, HOSTS, type LabHostName, Spine, until } from './spine.js';

const obstacle = guestObstacle() as string | undefined;
const withGuests = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

withGuests(`a guest of QEMU that is moved while it sends${why}`, () => {
  let spine: Spine;
  let web: QemuGuest;
  let migrations: Migrations;
  let streams: MovedStreams;

  beforeAll(async () => {
    spine = await Spine.start(qemuEnv);
    migrations = new Migrations(spine);
    await prepareGuests(spine.lab, HOSTS);
    await spine.api.apply(group('web', MOVED_POLICY));
    const peer = await spine.guest('south', 'peer', 'web');
    const far = await spine.guest('north', 'far', 'web');
    web = new QemuGuest(spine.lab, {
      name: 'web',
      mac: '02:00:00:00:00:77',
      bridge: BRIDGE,
      ifaceId: 'web-eth0',
      profile: 'web',
    });
    await web.boot('north');
    await spine.bound('web', 'north');
    streams = new MovedStreams(peer, far);
    await web.generate(streams.all);
  });

  afterAll(async () => {
    await web?.stop();
    await spine?.stop();
  });

  /** What whoever runs VMs does when Portolan says that a guest may come: plugs it, and lets a QEMU wait for it. */
  async function receive(host: LabHostName): Promise<QemuRun> {
    const next = await web.plugAt(host);
    const number = await until('a port number', async () => {
      const text = await spine.lab.vsctl(host, 'get', 'Interface', next.tap, 'ofport');
      return Number(text) > 0 ? Number(text) : undefined;
    });
    await until('the policy at the destination', async () =>
      (await spine.flows(host)).some((f) => f.includes(`in_port=${number}`)) ? true : undefined,
    );
    await next.start(web.incoming(host));
    return next;
  }

  async function move(to: LabHostName): Promise<void> {
    const before = web.run;
    const id = await migrations.ask('web', to);
    await migrations.phase(id, 'moving');
    await receive(to);
    const done = await migrations.ended(id);
    expect(done).toMatchObject({ origin: 'operator', phase: 'completed', destination: to });
    // The agent ends the QEMU whose guest has gone: nobody can let it run twice.
    await before.gone;
    await migrations.at('web', to);
    expect(phasesOf(done)).toEqual(['admitted', 'prepared', 'moving', 'switched', 'completed']);
  }

  it('goes there and back by the operator’s word, its policy first', async () => {
    await move('south');
    await move('north');
    expect(await spine.lab.vsctl('south', 'list-ports', BRIDGE)).not.toContain('tap');
  });

  it('stays where it is when that is called off while its memory is copied', async () => {
    const epoch = (await spine.port('web'))?.status.active?.epoch;
    const here = web.run;
    await here.qmp('migrate-set-parameters', { 'max-bandwidth': 200_000 });
    const id = await migrations.ask('web', 'south');
    await migrations.phase(id, 'moving');
    const there = await receive('south');
    await until('memory to be copied', async () => {
      const { status } = (await here.qmp('query-migrate')) as { readonly status?: string };
      return status === 'active';
    });
    await migrations.abort(id);
    expect(await migrations.ended(id)).toMatchObject({ phase: 'aborted', destination: 'south' });
    // Its QEMU ends by itself: what it waited for won't come.
    await there.gone;
    await spine.realised('north', 'south');
    const { status } = (await spine.port('web')) ?? {};
    expect(status).toMatchObject({ state: 'bound', active: { host: 'north', epoch }, standby: null });
    expect(await here.qmp('query-status')).toMatchObject({ status: 'running' });
  });

  it('was counted to the packet, and what it sent came once and as the policy allows', async () => {
    await streams.flow();
    await streams.expectExact(spine, web, 'web', 2);
    expect((await spine.stats('web')).in.packets).toBe(await web.framesIn());
    // The last one is of the standby that was given up: nothing came from there.
    expect(await segmentsOf(spine, 'web')).toEqual([
      ['north', true, true],
      ['south', true, true],
      ['north', false, true],
      ['south', true, false],
    ]);
    expect(spine.deaths).toEqual([]);
  });
});
