import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { libvirtObstacle } from '../../../deploy/setup/libvirt.js';
import { libvirtEnv } from '../libvirt.js';
import { type Libvirtd } from '../libvirtd.js';
import { BRIDGE, group, type LabHostName, until } from '../spine.js';
import { LibvirtWorld } from './libvirt-world.js';
import { FULL } from './scene.js';
import { otherHost } from './world.js';

const obstacle = FULL ? (libvirtObstacle() as string | undefined) : 'only all of them are played';
const withLibvirt = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

const LONG_MS = 180_000;
/** MiB/s: what a guest without rest is copied with, and what it fetches in post-copy until it is let go. */
const [SLOW, CRAWL, FULL_SPEED] = ['10', '1', '1000'];

/** Settings of the host that the guest leaves, beside those of the lab. */
type Way = readonly [string, NodeJS.ProcessEnv];
const TCP = {
  PORTOLAN_LIBVIRT_DESTINATION: 'qemu+tcp://{host}/system',
  PORTOLAN_LIBVIRT_MIGRATE_URI: 'tcp://{host}',
};
const options = (words: string): NodeJS.ProcessEnv => ({ PORTOLAN_LIBVIRT_OPTIONS: words });
const WAYS: readonly Way[] = [
  ['from libvirtd to libvirtd over TCP', TCP],
  ['directly', options('direct')],
  ['tunnelled', { ...options('tunnelled'), PORTOLAN_LIBVIRT_MIGRATE_URI: undefined }],
  ['compressed, and slowed down', options('compressed,auto-converge')],
];
const POST_COPY: readonly Way[] = [
  ['from libvirtd to libvirtd', options('post-copy')],
  ['over TCP', { ...TCP, ...options('post-copy') }],
  ['directly', options('direct,post-copy')],
];

withLibvirt(`a guest of libvirt that goes by order${why}`, () => {
  let world: LibvirtWorld;
  let source: LabHostName;
  let destination: LabHostName;
  let moves = 0;

  beforeAll(async () => {
    world = await LibvirtWorld.start();
  });
  afterAll(async () => {
    await world?.stop();
  });

  const at = (host: LabHostName): Libvirtd => world.libvirt.at(host);
  const stateAt = async (host: LabHostName): Promise<string> =>
    (await at(host).virsh('list', '--all')).includes(world.guest.options.name)
      ? at(host).virsh('domstate', '--reason', world.owner)
      : '';

  /** Asks for a move from where it is, on a host that is set to do it so. */
  async function asked(env: NodeJS.ProcessEnv): Promise<string> {
    source = world.guest.host as LabHostName;
    destination = otherHost(source);
    await world.spine.configure(source, { ...options(''), ...libvirtEnv(source, world.spine.lab), ...env });
    return world.migrations.ask(world.owner, destination);
  }

  async function hasMoved(id: string): Promise<void> {
    const { phase, reason } = await world.migrations.ended(id);
    expect([phase, reason]).toEqual(['completed', null]);
    await arrived();
  }

  async function arrived(): Promise<void> {
    await world.migrations.at(world.owner, destination);
    await world.guest.movedTo(destination);
    moves += 1;
  }

  /** A guest that can't be moved otherwise runs at the destination, and hangs on its source. */
  async function inPostCopy(env: NodeJS.ProcessEnv): Promise<string> {
    await world.guest.unrest(true);
    await at(world.guest.host as LabHostName).virsh('migrate-setspeed', world.owner, SLOW);
    await at(world.guest.host as LabHostName).virsh('migrate-setspeed', world.owner, CRAWL, '--postcopy');
    const id = await asked(env);
    const isThere = async () => (await stateAt(destination)).startsWith('running (post-copy') || undefined;
    await until('post-copy', isThere, LONG_MS);
    await world.migrations.phase(id, 'switched');
    return id;
  }

  /** What its hypervisor has said is in the log. */
  const told = (id: string, word: RegExp): Promise<unknown> =>
    until(
      `the word ${word}`,
      async () => {
        const all = await world.spine.events('HypervisorReported', `migration/${id}`);
        return all.some(({ sentence }) => word.test(sentence)) || undefined;
      },
      LONG_MS,
    );

  it.each(WAYS)('%s', async (_way, env) => {
    await at(world.guest.host as LabHostName).virsh('migrate-setspeed', world.owner, FULL_SPEED);
    await hasMoved(await asked(env));
  });

  it.each(POST_COPY)('in post-copy, %s', async (_way, env) => {
    const id = await inPostCopy(env);
    await at(source).virsh('migrate-setspeed', world.owner, FULL_SPEED, '--postcopy');
    await hasMoved(id);
    await world.guest.unrest(false);
  });

  it.each([
    ['directly, and virsh ends with the agent: the guest stays', options('direct'), 'failed'],
    ['from libvirtd to libvirtd, and the agent ends', {}, 'completed'],
  ])('%s', async (_what, env, outcome) => {
    await at(world.guest.host as LabHostName).virsh('migrate-setspeed', world.owner, CRAWL);
    const id = await asked(env);
    await world.guest.leaving();
    await world.spine.restartAgent(source);
    const isOver = async () => {
      // Whoever follows it may set it back to the speed that it had before.
      await at(source)
        .virsh('migrate-setspeed', world.owner, FULL_SPEED)
        .catch(() => undefined);
      return (await world.spine.api.migration(id)).finished || undefined;
    };
    await until('an end', isOver, LONG_MS);
    expect((await world.migrations.ended(id)).phase).toBe(outcome);
    if (outcome === 'completed') return arrived();
    await world.migrations.at(world.owner, source);
    expect(await stateAt(source)).toContain('running');
  });

  it('was counted to the packet, and what it sent came once and as the policy allows', async () => {
    const { spine, streams, guest } = world;
    await streams.flow();
    await streams.expectExact(spine, guest, world.owner, moves);
    expect(spine.deaths).toEqual([]);
  });

  it('is followed there and back, moved by hand at once', async () => {
    const { guest, migrations, streams } = world;
    const here = guest.host as LabHostName;
    await world.speak();
    await at(here).virsh('migrate-setspeed', world.owner, FULL_SPEED);
    await guest.migrate(otherHost(here));
    await guest.migrate(here);
    await migrations.at(world.owner, here);
    await streams.flow();
  });

  it('in post-copy, and the network between the hosts fails for a while', async () => {
    const id = await inPostCopy({ ...TCP, ...options('post-copy') });
    await world.libvirt.cut(true);
    await told(id, /broke off/);
    await world.libvirt.cut(false);
    expect(await world.migrations.ended(id)).toMatchObject({ phase: 'completed' });
    await until('all of it to be there', async () => (await stateAt(source)) === '' || undefined, LONG_MS);
    expect(await stateAt(destination)).toContain('running');
    await arrived();
    await world.guest.unrest(false);
  });

  it('in post-copy, and its QEMU at the destination is killed: the guest is lost, and that is said', async () => {
    const id = await inPostCopy(options('post-copy'));
    await at(destination).killGuest(world.guest.options.name);
    await told(id, /broke off/);
    expect((await world.migrations.ended(id)).phase).toBe('completed');
    // What is left of it can run nowhere.
    await world.guest.stop();
    await until('its port to be nowhere', async () => {
      const { active, standby, retiring } = (await world.spine.port(world.owner))?.status ?? {};
      return (active === null && standby === null && retiring?.length === 0) || undefined;
    });
    await world.boot(source);
    expect(world.spine.deaths).toEqual([]);
  });

  it('waits with a vNIC for the port group that its profile names', async () => {
    const { guest, spine } = world;
    const vnic = { mac: '02:00:00:00:00:78', ifaceId: randomUUID(), profile: 'later', bridge: BRIDGE };
    await guest.attach(vnic);
    await until('that nobody knows it', async () => {
      const refused = await spine.events('FactRefused', `host/${guest.host}`);
      return refused.some(({ sentence }) => sentence.includes('later')) || undefined;
    });
    await spine.api.apply(group('later', {}));
    await until('its port', async () => {
      const { items } = await spine.api.ports(`?owner=${world.owner}`);
      const port = items.find(({ status }) => status.connectee?.ifaceId === vnic.ifaceId);
      return (port?.status.group === 'later' && port.status.active?.host === guest.host) || undefined;
    });
  });
});
