import { describe, it } from '@jest/globals';
import { phasesOf, save } from '../histories/save.js';
import { LibvirtWorld } from './chaos/libvirt-world.js';
import { QemuMove } from './chaos/qemu-move.js';
import { QemuWorld } from './chaos/qemu-world.js';
import { type ChaosWorld } from './chaos/world.js';
import { qemuEnv } from './qemu.js';
import { until } from './spine.js';

/**
 * Records the histories of real guests anew, into test/histories: PORTOLAN_RECORD=1 npm run lab -- test/lab/record
 * (with -t NAME only that one). Each ends with the guest stopped, so that the log alone has all that it sent.
 */
const withRecorder = process.env['PORTOLAN_RECORD'] === undefined ? describe.skip : describe;

/** Of the stream of 100 a second, before and after what happens: so much that a host has told what it counted. */
const SOME = 300;
const oftenTold: typeof qemuEnv = (host, lab) => ({ ...qemuEnv(host, lab), PORTOLAN_CHECKPOINT_MS: '1000' });

const story =
  <W extends ChaosWorld>(start: () => Promise<W>, play: (world: W) => Promise<void>) =>
  async (name: string): Promise<void> => {
    const world = await start();
    try {
      await world.streams.flow(SOME);
      await play(world);
      await world.streams.flow(SOME);
      await world.hush();
      await record(name, world);
    } finally {
      await world.stop();
    }
  };
const ofQemu = (play: (world: QemuWorld) => Promise<void>) => story(() => QemuWorld.start(oftenTold), play);
const ofLibvirt = (play: (world: LibvirtWorld) => Promise<void>) => story(() => LibvirtWorld.start(), play);

async function record(name: string, world: ChaosWorld): Promise<void> {
  const { spine, guest, owner } = world;
  if (!world.isDrained)
    await until(
      'all to be counted',
      async () => (await spine.stats(owner)).in.packets === (await world.sent()),
    );
  await guest.stop();
  await until('the port to be settled', async () => {
    const { status } = (await spine.port(owner)) ?? {};
    return status?.active === null && status.standby === null && status.retiring.length === 0;
  });
  const { revision, digest } = await spine.api.status();
  const told = { sent: await world.sent(), phases: await phasesOf(spine.api) };
  await save(name, await spine.api.exportLog(revision), told, digest);
}

const stories: Readonly<Record<string, (name: string) => Promise<void>>> = {
  'qmp-completed': ofQemu(async (world) => {
    const move = await QemuMove.at(world, 'plugged');
    await move.goOn();
    await move.phase('completed');
    await move.left();
  }),
  'qmp-aborted': ofQemu(async (world) => {
    const move = await QemuMove.at(world, 'copying');
    await world.migrations.abort(move.id);
    await move.phase('aborted');
    await move.to?.gone;
  }),
  'libvirt-completed': ofLibvirt(async ({ migrations, guest, owner }) => {
    await migrations.ended(await migrations.ask(owner, 'south'));
    await migrations.at(owner, 'south');
    await guest.movedTo('south');
  }),
  'libvirt-by-hand': ofLibvirt(async ({ migrations, guest, owner }) => {
    await guest.migrate('south');
    await migrations.at(owner, 'south');
  }),
  'libvirt-failed': ofLibvirt(async ({ libvirt, migrations, guest, owner }) => {
    await libvirt.at('north').virsh('migrate-setspeed', owner, '1');
    const id = await migrations.ask(owner, 'south');
    await guest.leaving();
    await libvirt.at('south').killGuest('web');
    await migrations.ended(id);
    await migrations.at(owner, 'north');
  }),
  'host-lost': ofQemu(async ({ spine, guest, owner, streams }) => {
    const north = spine.lab.host('north');
    await spine.cluster.children.kill('host-agent-north');
    await guest.run.kill();
    await north.killVswitchd();
    await north.killOvsdb();
    await until('it to be missed', async () => (await spine.host('north')).status.state !== 'up');
    await guest.boot('south');
    await until('south to wait', async () => (await spine.port(owner))?.status.claim);
    const death = { dead: true, reason: 'its power supply burnt out' };
    await spine.api.send('POST', '/v1/hosts/north/give-up-counters', death);
    await spine.bound(owner, 'south');
    await guest.generate(streams.all);
  }),
};

withRecorder('the history of real guests', () => {
  it.each(Object.entries(stories))('%s', (name, play) => play(name));
});
