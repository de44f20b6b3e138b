import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MigrationView, type PortDescription, type WriteResult } from '#contracts/http';
// @ts-expect-error: setup runs before anything is built, so it is plain JavaScript.
import { guestObstacle } from '../../deploy/setup/guest.js';
import { type LabVm } from './net.js';
import { prepareGuests, QemuGuest, qemuEnv, streamOf, type QemuRun, type Stream } from './qemu.js';
import { BRIDGE, group, HOSTS, type LabHostName, Spine, until } from './spine.js';

const obstacle = guestObstacle() as string | undefined;
const withGuests = obstacle === undefined ? describe : describe.skip;
const why = obstacle === undefined ? '' : `: left out, ${obstacle}`;

/** A move takes less than a second by itself; the limit is for what hangs, on machines that may be busy. */
const MOVED_MS = 120_000;
const shaping = { average: 50_000_000, peak: 50_000_000, burst: 5_000_000 };
const FORBIDDEN = 7001;
const [TO_PEER, TO_FAR] = [0, 1];
const MOVES = 2;
/** QEMU says that often where the guest is, after each move; they count as sent by it. */
const ANNOUNCEMENTS = 5;
const NOTHING = { count: 0 } as const;
const POLICY = {
  vlan: { mode: 'access', id: 100 },
  shapingIn: shaping,
  filter: [
    {
      name: 'no-7001',
      direction: 'in',
      action: 'drop',
      match: { ipProtocol: 17, dstPort: { from: FORBIDDEN, to: FORBIDDEN } },
    },
  ],
};

type Counted = PortDescription['ledger']['total']['in'];
const packetsOf = ({ unicast, multicast, broadcast }: Counted): number =>
  unicast.packets + multicast.packets + broadcast.packets;

withGuests(`a guest of QEMU that is moved while it sends${why}`, () => {
  let spine: Spine;
  let web: QemuGuest;
  let peer: LabVm;
  let far: LabVm;
  let streams: readonly Stream[];

  beforeAll(async () => {
    spine = await Spine.start(qemuEnv);
    await prepareGuests(spine.lab, HOSTS);
    await spine.api.apply(group('web', POLICY));
    peer = await spine.guest('south', 'peer', 'web');
    far = await spine.guest('north', 'far', 'web');
    web = new QemuGuest(spine.lab, {
      name: 'web',
      mac: '02:00:00:00:00:77',
      bridge: BRIDGE,
      ifaceId: 'web-eth0',
      profile: 'web',
    });
    await web.boot('north');
    await spine.bound('web', 'north');
    streams = [
      { to: peer, port: 5001, pps: 100 },
      { to: far, port: 5002, pps: 50 },
      { to: peer, port: FORBIDDEN, pps: 20 },
      { to: peer, port: 5003, pps: 20, srcMac: '02:00:00:00:0f:0f' },
    ];
    await web.generate(streams);
  });

  afterAll(async () => {
    await web?.stop();
    await spine?.stop();
  });

  const received = async (vm: LabVm, stream: Stream | undefined) =>
    (stream && (await vm.received()).streams[streamOf(stream)]) ?? NOTHING;

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

  async function ask(destination: LabHostName): Promise<string> {
    const request = { owner: 'web', destination };
    const { changed } = await spine.api.send<WriteResult>('POST', '/v1/migrations', request);
    const id = changed.find((c) => c.change === 'created')?.name;
    if (id === undefined) throw new Error(`no migration: ${JSON.stringify(changed)}`);
    return id;
  }

  const phase = (id: string, wanted: string) =>
    until(`${id} to be ${wanted}`, async () => (await spine.api.migration(id)).phase === wanted, MOVED_MS);

  async function ended(id: string): Promise<MigrationView> {
    const look = async () => {
      const m = await spine.api.migration(id);
      return m.finished ? m : undefined;
    };
    return until(`${id} to end`, look, MOVED_MS);
  }

  async function move(to: LabHostName): Promise<void> {
    const before = web.run;
    const id = await ask(to);
    await phase(id, 'moving');
    await receive(to);
    const done = await ended(id);
    expect(done).toMatchObject({ origin: 'operator', phase: 'completed', destination: to });
    // The agent ends the QEMU whose guest has gone: nobody can let it run twice.
    await before.gone;
    await spine.bound('web', to);
    const { status } = (await spine.port('web')) ?? {};
    expect(status).toMatchObject({ state: 'bound', active: { host: to }, standby: null, retiring: [] });
    const phases = done.history.map((h) => h.phase);
    expect(phases).toEqual(['admitted', 'prepared', 'moving', 'switched', 'completed']);
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
    const id = await ask('south');
    await phase(id, 'moving');
    const there = await receive('south');
    await until('memory to be copied', async () => {
      const { status } = (await here.qmp('query-migrate')) as { readonly status?: string };
      return status === 'active';
    });
    await spine.api.send('POST', `/v1/migrations/${id}/abort`, { reason: 'changed my mind' });
    expect(await ended(id)).toMatchObject({ phase: 'aborted', destination: 'south' });
    // Its QEMU ends by itself: what it waited for won't come.
    await there.gone;
    await spine.realised('north', 'south');
    const { status } = (await spine.port('web')) ?? {};
    expect(status).toMatchObject({ state: 'bound', active: { host: 'north', epoch }, standby: null });
    expect(await here.qmp('query-status')).toMatchObject({ status: 'running' });
  });

  it('was counted to the packet, and what it sent came once and as the policy allows', async () => {
    const before = (await received(peer, streams[TO_PEER])).count;
    await until('more of it', async () => (await received(peer, streams[TO_PEER])).count > before);
    const sent = await web.stopGenerating(streams);
    const total = (await web.transmitted()) + MOVES * ANNOUNCEMENTS;
    const { in: counted, exact } = await until('the ledger to agree', async () => {
      const found = await spine.stats('web');
      return found.in.packets >= total ? found : undefined;
    });
    expect({ packets: counted.packets, taps: await web.framesIn(), exact }).toEqual({
      packets: total,
      taps: total,
      exact: true,
    });
    const { ledger } = await spine.api.get<PortDescription>(`/v1/ports/${await spine.portId('web')}`);
    // The last one is of the standby that was given up: nothing came from there.
    expect(ledger.segments.map((s) => [s.host, s.closedAt !== null, packetsOf(s.counted.in) > 0])).toEqual([
      ['north', true, true],
      ['south', true, true],
      ['north', false, true],
      ['south', true, false],
    ]);
    const [there, here, ...none] = await Promise.all(
      streams.map((stream, i) => received(i === TO_FAR ? far : peer, stream)),
    );
    expect(there).toMatchObject({ count: sent[TO_PEER], unique: sent[TO_PEER], duplicates: 0, missing: [] });
    expect(here).toMatchObject({ count: sent[TO_FAR], unique: sent[TO_FAR], duplicates: 0, missing: [] });
    expect(none).toEqual([NOTHING, NOTHING]);
    expect(spine.deaths).toEqual([]);
  });
});
