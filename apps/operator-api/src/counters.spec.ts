import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type Command, type RawCounters } from '#domain';
import { type Telemetry } from '#contracts';
import { startApi, type Api } from './testing/api.fixture.js';

const QUICKSTART = readFileSync('deploy/examples/quickstart.yaml', 'utf8');
const none = { packets: 0, bytes: 0 };
const quiet = { unicast: none, multicast: none, broadcast: none };
const raw = (n: number): RawCounters => ({
  in: { ...quiet, unicast: { packets: n, bytes: n * 100 } },
  out: quiet,
});
const segment = { epoch: 1, incarnation: 'i1' } as const;

describe('counters of a port', () => {
  let api: Api;
  let time = 0;
  let port: string;
  const tell = (n: number): void => {
    time += 1_000;
    const counters = [{ ...segment, port, raw: raw(n) }];
    const rest = { schema: 1, boot: 'b1', vms: [], interfaces: [], uplinks: [] };
    api.live.takeTelemetry({ ...rest, host: 'alpha', time, counters } as unknown as Telemetry);
  };
  const stats = async () => (await api.call('GET', '/v1/stats/ports')).body.items[0];
  const reset = (reason: string) => api.call('POST', `/v1/ports/${port}/reset-counters`, { reason });

  beforeAll(async () => {
    api = await startApi();
    await api.call('POST', '/v1/apply', QUICKSTART);
    const group = (await api.call('GET', '/v1/groups')).body.items[0];
    const plugged = {
      ifaceId: 'vm-a-eth0',
      mac: '02:00:00:00:00:0a',
      profile: group.metadata.name,
      owner: 'vm-a',
      kind: 'vm',
      switch: group.spec.switch,
    };
    const ingest = (seq: number, fact: object) =>
      api.command({
        type: 'IngestFacts',
        host: 'alpha',
        boot: 'b1',
        facts: [{ seq, at: 0, fact }],
      } as unknown as Command);
    await ingest(1, { type: 'InterfacePlugged', interface: plugged });
    port = (await api.call('GET', '/v1/ports?owner=vm-a')).body.items[0].metadata.name;
    await ingest(2, { type: 'SegmentOpened', ...segment, port, raw: raw(0) });
  });
  afterAll(() => api.close());

  it('are not reset while nobody knows what they are', async () => {
    const refused = await reset('new tenant');
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining('alpha') } });
  });

  it('are shown since a reset, with who wanted it and why; the ledger and the group’s sum go on', async () => {
    tell(40);
    expect(await stats()).toMatchObject({ in: { packets: 40 }, since: null });
    expect((await reset('new tenant')).status).toBe(200);
    tell(55);
    expect(await stats()).toMatchObject({
      in: { packets: 15, bytes: 1_500 },
      since: { reason: 'new tenant', by: expect.any(String) },
    });
    const { body } = await api.call('GET', `/v1/ports/${port}`);
    expect(body.ledger.total.in.unicast.packets).toBe(55);
    const groups = (await api.call('GET', '/v1/stats/groups')).body.items;
    expect(groups.map((g: { in: { packets: number } }) => g.in.packets)).toContain(55);
    const events = (await api.call('GET', `/v1/events?type=CountersReset&object=port/${port}`)).body.items;
    expect(events).toMatchObject([{ reason: 'new tenant', sentence: expect.stringContaining('new tenant') }]);
  });

  it.each([{}, { reason: '' }, { reason: 7 }, { reason: 'x', more: 1 }])(
    'are not reset for %j',
    async (body) => {
      expect((await api.call('POST', `/v1/ports/${port}/reset-counters`, body)).status).toBe(422);
    },
  );

  it('have a history of totals, with the host at each, whatever was reset', async () => {
    tell(70);
    const { body } = await api.call('GET', `/v1/ports/${port}/history`);
    const sent = body.points.map((p: { host: string; in: { packets: number } }) => [p.host, p.in.packets]);
    expect(sent).toEqual([
      ['alpha', 40],
      ['alpha', 55],
      ['alpha', 70],
    ]);
    expect((await api.call('GET', '/v1/ports/p999/history')).status).toBe(404);
  });

  it('remember an hour at most', async () => {
    for (let n = 100; n < 200; n++) tell(n);
    const { points } = (await api.call('GET', `/v1/ports/${port}/history`)).body;
    expect(points).toHaveLength(60);
    expect(points.at(-1).in.packets).toBe(199);
  });
});
