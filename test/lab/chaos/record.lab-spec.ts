import { describe, it } from '@jest/globals';
import { phasesOf, save } from '../../histories/save.js';
import { until, type LabHostName } from '../spine.js';
import { QemuMove } from './qemu-move.js';
import { QemuWorld } from './qemu-world.js';

/**
 * Records the history of real guests anew: PORTOLAN_RECORD=1 npm run lab -- test/lab/chaos/record. It ends with the
 * guest stopped, so that the log alone has all that it sent.
 */
const withRecorder = process.env['PORTOLAN_RECORD'] === undefined ? describe.skip : describe;

const completed = async (world: QemuWorld): Promise<void> => {
  const move = await QemuMove.at(world, 'plugged');
  await move.goOn();
  await move.phase('completed');
  await move.from.gone;
};

const calledOff = async (world: QemuWorld): Promise<void> => {
  const move = await QemuMove.at(world, 'copying');
  await world.migrations.abort(move.id);
  await move.phase('aborted');
  await move.to?.gone;
};

const guestLost = async (world: QemuWorld): Promise<void> => {
  const move = await QemuMove.at(world, 'copying');
  await move.from.kill();
  await move.to?.kill();
  await move.phase('aborted');
  await world.boot(move.source);
};

const hostLost = async (world: QemuWorld): Promise<void> => {
  const move = await QemuMove.at(world, 'copying');
  const host = world.spine.lab.host(move.destination);
  await world.spine.cluster.children.kill(`host-agent-${move.destination}`);
  await move.to?.kill();
  await host.killVswitchd();
  await host.killOvsdb();
  await move.phase('failed');
  await until('the host to be given up', () => giveUp(world, move.destination));
};

/** Refused as long as it was heard of a moment ago. */
const giveUp = (world: QemuWorld, host: LabHostName): Promise<unknown> =>
  world.spine.api.send('POST', `/v1/hosts/${host}/give-up-counters`, {
    reason: 'its power was cut',
    dead: true,
  });

withRecorder('the history of real guests', () => {
  it('qmp-moves', async () => {
    const world = await QemuWorld.start();
    const { api } = world.spine;
    try {
      for (const story of [completed, calledOff, guestLost, hostLost]) await story(world);
      await world.guest.stop();
      const sent = await world.guest.framesIn();
      await until('the port to be settled', async () => {
        const { status } = (await world.spine.port(world.owner)) ?? {};
        return status?.active === null && status.standby === null && status.retiring.length === 0;
      });
      const { revision, digest } = await api.status();
      await save('qmp-moves', await api.exportLog(revision), { sent, phases: await phasesOf(api) }, digest);
    } finally {
      await world.stop();
    }
  });
});
