import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import {
  type EvacuationDescription,
  type ListOf,
  type MigrationDescription,
  type MigrationView,
} from '#contracts/http';
import { type GuestPlan } from '../../deploy/quickstart/simulation.js';
import { EXAMPLE, startWorld, until, type World } from './cluster.fixture.js';

const SENT = 400;
const guest = (n: number, more: Partial<GuestPlan> = {}): GuestPlan => ({
  host: 'alpha',
  owner: `web-${n}`,
  ifaceId: `web-${n}-eth0`,
  mac: `02:00:00:00:01:0${n}`,
  profile: 'web',
  switch: 'prod',
  peer: 'ff:ff:ff:ff:ff:ff',
  pps: 200,
  ...more,
});
/** Those that count begin when they hear the first one, and so when their ports are open. */
const COUNTED = [2, 3, 4].map((n) => guest(n, { limit: SENT, waits: true }));
const WEB = [guest(1), ...COUNTED];
const INTERNAL = guest(9, {
  owner: 'builder',
  ifaceId: 'builder-eth0',
  profile: 'build',
  switch: 'lab-internal',
});

describe('a host that is evacuated', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ guests: [...WEB, INTERNAL], copyMs: 400 });
    await world.api.apply(await readFile(EXAMPLE, 'utf8'));
    await until('all guests to be connected', async () => (await world.api.status()).counts.connected === 5);
  });
  afterAll(() => world.stop());

  const evacuation = (id: string): Promise<EvacuationDescription> => world.api.get(`/v1/evacuations/${id}`);
  const hostOf = async (owner: string): Promise<string | undefined> =>
    (await world.api.ports(`?owner=${owner}`)).items[0]?.status.active?.host;

  it('is empty in the end but for what can’t go, though the coordinator was killed on the way', async () => {
    const shown = world.cli('evacuate', 'alpha', '--wait', '--reason', 'new board');
    await until('a guest to be on its way', async () => (await evacuation('e1')).counts.moving > 0);
    await world.cluster.children.kill('migration-coordinator');
    await world.cluster.startCoordinator();
    const { code, out, err } = await shown;
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('evacuation e1 incomplete: 1 guest left on alpha'),
    ]);
    expect(out).toMatch(
      /builder +refused +to any host: ports\.p\d+\.switch is an internal-only standard switch/,
    );
    for (const { owner } of WEB) {
      expect(out).toMatch(new RegExp(`${owner} +moving +alpha > (bravo|charlie)`));
      expect(out).toMatch(new RegExp(`${owner} +moved +alpha > (bravo|charlie)`));
    }
    expect(out).toContain('4 moved, 1 refused');
    expect(await hostOf('builder')).toBe('alpha');
    const [alpha] = (await world.api.hosts()).items;
    expect(alpha).toMatchObject({ spec: { maintenance: true }, status: { ports: { active: 1 } } });
  });

  it('let no more than two go at once, and spread them', async () => {
    const { items } = await world.api.get<ListOf<MigrationView>>('/v1/migrations');
    expect(items.map((m) => [m.phase, m.evacuation])).toEqual(items.map(() => ['completed', 'e1']));
    const busy = items.flatMap((m) => [
      { at: m.history[0]!.revision, by: 1 },
      { at: m.history.find((h) => h.phase === 'switched')!.revision, by: -1 },
    ]);
    let [now, most] = [0, 0];
    for (const { by } of busy.sort((a, b) => a.at - b.at || a.by - b.by)) most = Math.max(most, (now += by));
    expect(most).toBe(2);
    expect(items.map((m) => m.destination).sort()).toEqual(['bravo', 'bravo', 'charlie', 'charlie']);
  });

  it('and how each went over is told: the policy stood before the first frame, and when who noticed what', async () => {
    const { items } = await world.api.get<ListOf<MigrationView>>('/v1/migrations');
    const noticed: number[] = [];
    for (const { id } of items) {
      const { handover } = await world.api.get<MigrationDescription>(`/v1/migrations/${id}`);
      expect(handover).toHaveLength(1);
      const [{ granted, realised, ...seen } = {} as (typeof handover)[number]] = handover;
      expect(seen).toMatchObject({
        source: { epoch: 1, inexact: null },
        destination: { epoch: 2, from: { in: { unicast: { packets: 0 } } } },
      });
      // A host that told of the frame only after all was over is not asked when it was.
      if (realised === null) continue;
      expect(realised).toBeGreaterThanOrEqual(granted);
      expect(seen).toMatchObject({ firstFrameAt: expect.any(String) });
      if (seen.gapMs !== null) noticed.push(seen.gapMs);
    }
    expect(noticed).not.toEqual([]);
    const { out } = await world.cli('describe', 'migration', items[0]!.id);
    expect(out).toMatch(/Hand-over\n {2}port .*\n {2}policy +/);
  });

  it('the ledgers are exact, to the packet', async () => {
    for (const { owner } of COUNTED) {
      const port = (await world.api.ports(`?owner=${owner}`)).items[0]!.metadata.name;
      await until(`the ledger of ${owner} to agree with what it sent`, async () => {
        const vms = (await world.api.hosts()).items.flatMap((h) => h.status.vms);
        const sent = vms.find((v) => v.owner === owner && v.state === 'running')?.sent ?? 0;
        const counted = (await world.api.stats(port)).in.packets;
        // What announced its arrival, for a second, counts as well.
        if (sent !== counted) throw new Error(`${sent} sent, ${counted} in the ledger`);
        return sent >= SENT;
      });
    }
  });

  it('out of maintenance it takes guests again; an evacuation that is aborted calls them back', async () => {
    expect(await world.cli('migrate', 'web-1', '--to', 'alpha')).toMatchObject({
      code: 1,
      err: expect.stringContaining('destination "alpha": is in maintenance'),
    });
    const off = await world.cli('host', 'maintenance', 'alpha', 'off');
    expect(off).toMatchObject({ code: 0, out: expect.stringContaining('Host/alpha changed: maintenance') });
    const there = await hostOf('web-1');
    const order = { to: ['alpha'], parallel: 1 };
    await world.api.send('POST', `/v1/hosts/${there}/evacuate`, order);
    await until('the guest to be on its way', async () => (await evacuation('e2')).counts.moving === 1);
    await world.api.send('POST', '/v1/evacuations/e2/abort', { abortRunning: true, reason: 'fire' });
    const over = await until('it to be over', async () => {
      const e = await evacuation('e2');
      return e.finished && e;
    });
    expect(over).toMatchObject({ phase: 'aborted', why: 'fire', requestedBy: expect.any(String) });
    const told = await world.cli('describe', 'evacuation', 'e2');
    expect(told.out).toMatch(/aborted: fire/);
  });
});
