import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type MigrationView,
  type PortStats,
  type Realised,
  type ReplayReport,
  type WriteResult,
} from '#contracts/http';
import { ApiError } from '../../deploy/quickstart/api.js';
import { GUESTS } from '../../deploy/quickstart/simulation.js';
import { LIMIT_MS, EXAMPLE, letGo, startWorld, until, type World } from './cluster.fixture.js';

/** web-1 sends a known number of packets, slowly enough to be sending all through the faults. */
const LIMIT = 6_000;
const guests = GUESTS.map((g) => (g.owner === 'web-1' ? { ...g, pps: 400, limit: LIMIT, waits: true } : g));

describe('a cluster whose parts fail', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ guests, copyMs: 1_500 });
    await world.apply();
  });
  afterAll(() => world.stop());

  const vm = async (owner: string) =>
    (await world.api.hosts()).items
      .flatMap((h) => h.status.vms)
      .find((v) => v.owner === owner && v.state === 'running');
  const portOf = async (owner: string): Promise<string> =>
    (await world.api.ports(`?owner=${owner}`)).items[0]!.metadata.name;
  const inLedger = async (port: string): Promise<number> => (await world.api.stats(port)).in.packets;
  const migrate = async (owner: string, destination: string): Promise<string> => {
    const started = await world.api.send<WriteResult>('POST', '/v1/migrations', { owner, destination });
    return started.changed.find((c) => c.kind === 'Migration')!.name;
  };
  const phase = (id: string): Promise<MigrationView> => world.api.migration(id);
  const said = async (id: string, outcome: string) =>
    (await world.log())
      .flatMap((e) => ('events' in e.data ? e.data.events : []))
      .filter((e) => {
        const data = e.data as { migration?: string; outcome?: string };
        return e.type === 'HypervisorReported' && data.migration === id && data.outcome === outcome;
      });
  /** The order has reached the hypervisor: the phase alone only says that it may be given. */
  const copying = (id: string) =>
    until('the guest to be copied', async () => (await said(id, 'started')).length > 0);
  const completed = (id: string) =>
    until(`migration ${id} to complete`, async () => {
      const m = await phase(id);
      if (m.finished && m.phase !== 'completed')
        throw new Error(`it ${m.phase}: ${JSON.stringify(m.history)}`);
      return m.phase === 'completed' && m;
    });

  it('a coordinator killed in mid-migration: the migration waits where it is, and completes with the next one', async () => {
    const id = await migrate('web-1', 'bravo');
    await world.cluster.children.kill('migration-coordinator');
    const { phase: stood } = await phase(id);
    await world.cluster.startCoordinator();
    const done = await completed(id);
    expect(['admitted', 'prepared', 'moving']).toContain(stood);
    expect(done.history.map((h) => h.phase)).toEqual([
      'admitted',
      'prepared',
      'moving',
      'switched',
      'completed',
    ]);
  });

  it('a coordinator killed while the guest is copied and never back in time: the log goes on without it', async () => {
    const id = await migrate('web-1', 'charlie');
    await copying(id);
    await world.cluster.children.kill('migration-coordinator');
    // From here on facts carry it: the first frame, the final counters, the word of the hypervisor.
    await completed(id);
    await world.cluster.startCoordinator();
  });

  it('nats-server killed: commands fail at once with 503 and a reason; agents run on; all goes on when it is back', async () => {
    const port = await portOf('web-1');
    const before = await world.api.status();
    const sentBefore = await until('web-1 to tell what it sent', async () => (await vm('web-1'))?.sent);
    await world.cluster.children.kill('nats-server');
    // A command sent before the end of the connection was heard of is rightly answered "unknown": it may have been done.
    await until(
      'the API to know',
      async () => (await world.ready('operator-api')).checks['nats']?.ok === false,
    );
    const began = performance.now();
    const refused = await world.api
      .send('POST', '/v1/ports/p1/disconnect')
      .then(() => null)
      .catch((error: ApiError) => error);
    // As long as a take-over is waited for, and not as long as a client's patience.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(refused).toMatchObject({ status: 503, problem: { code: 'unavailable' } });
    expect(refused!.problem.detail).toMatch(/./);
    // Reads go on from what is known, and say that nobody leads.
    const meanwhile = await world.api.status();
    expect(meanwhile.leader).toBeNull();
    expect(meanwhile.revision).toBeGreaterThanOrEqual(before.revision);
    const unready = await world.ready('operator-api');
    expect(unready).toMatchObject({ ok: false, checks: { nats: { ok: false } } });
    await world.cluster.startNats();
    await until('a leader again', async () => (await world.api.status()).leader !== null);
    // The agents sent on without anybody.
    const sentAfter = await until('web-1 to tell what it sent', async () => {
      const { sent } = (await vm('web-1')) ?? {};
      return sent !== undefined && sent > sentBefore && sent;
    });
    expect(sentAfter).toBeGreaterThan(sentBefore);
    const written = await world.api.apply(await readFile(EXAMPLE, 'utf8'));
    expect(written.realised).toMatchObject({ realised: true });
    expect(port).toBe(await portOf('web-1'));
    expect(world.deaths).toEqual([]);
  });

  it('facts that happened while nats-server was down arrive once', async () => {
    const id = await migrate('web-2', 'charlie');
    await letGo(world, id);
    // The order is out: the hypervisors finish the move among themselves.
    await world.cluster.children.kill('nats-server');
    await until('the destination to have the guest', async () =>
      (await readFile(join(world.cluster.options.home, 'hosts', 'charlie', 'guests.json'), 'utf8')).includes(
        'web-2',
      ),
    );
    await world.cluster.startNats();
    await completed(id);
    const log = await world.log();
    const facts = log.flatMap((e) => ('events' in e.data ? e.data.events : []));
    expect(await said(id, 'completed')).toHaveLength(1);
    const port = await portOf('web-2');
    const activated = facts.filter((e) => {
      const data = e.data as { port?: string; host?: string };
      return e.type === 'PortActivated' && data.port === port && data.host === 'charlie';
    });
    expect(activated).toHaveLength(1);
  });

  it('after all that, the ledger is what the guest sent, to the packet, and the log replays to the live digest', async () => {
    const sent = await until(
      'web-1 to finish',
      async () => {
        const { sent } = (await vm('web-1')) ?? {};
        return sent !== undefined && sent >= LIMIT && sent;
      },
      LIMIT_MS,
    );
    const port = await portOf('web-1');
    await until('the ledger to agree', async () => (await inLedger(port)) === sent);
    const { revision, digest } = await world.api.status();
    const replayed: ReplayReport = await world.api.replay(await world.api.exportLog(revision));
    expect(replayed.revision).toBeGreaterThanOrEqual(revision);
    if (replayed.revision === revision) expect(replayed.digest).toBe(digest);
    const stats: PortStats = await world.api.stats(port);
    expect(stats.in.packets).toBe(sent);
  });

  it('a host that is down is named by --wait and blocks nobody', async () => {
    await world.cluster.children.kill('host-agent-alpha');
    const change =
      '{ apiVersion: portolan.dev/v1, kind: DistributedSwitch, metadata: { name: prod }, spec: { mtu: 1400, uplinks: [uplink1, uplink2], members: { alpha: { uplink1: eth1, uplink2: eth2 }, bravo: { uplink1: eth1, uplink2: eth2 }, charlie: { uplink1: eth1, uplink2: eth2 } } } }';
    const { revision } = await world.api.apply(change, 0);
    const waited = () => world.api.get<Realised>(`/v1/revisions/${revision}/realised?timeout=1`);
    const realised = await until('the others to carry it out', async () => {
      const now = await waited();
      return now.hosts >= 2 && now;
    });
    expect(realised).toMatchObject({ realised: false, hosts: 2, of: 3 });
    expect(realised.waiting).toMatchObject([{ host: 'alpha' }]);
    expect(realised.waiting[0]!.reason).toMatch(/not carried it out|down/);
    await world.cluster.startAgent('alpha');
    await until('alpha to catch up', async () => (await waited()).realised);
  });
});
