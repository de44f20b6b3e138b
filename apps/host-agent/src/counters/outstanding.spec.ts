import { beforeEach, describe, expect, it } from '@jest/globals';
import { AgentHost, mac, settle } from '../agent.fixture.js';

const packets = (n: number) => ({ in: { unicast: { packets: n } } });

describe('a binding that another took the place of before it was closed', () => {
  let host: AgentHost;

  beforeEach(async () => {
    host = new AgentHost();
    await host.start();
    await host.become(1, []);
    for (const n of [1, 2]) await host.plug(n);
    await host.become(2, [{ n: 1 }, { n: 2 }]);
    await host.send(1, mac(2), 4);
  });

  it('hands in its exact counters, and the newer one counts from zero', async () => {
    await host.become(3, [{ n: 1, epoch: 3 }, { n: 2 }]);
    await host.send(1, mac(2), 1);
    expect(host.of('SegmentClosed')).toMatchObject([{ port: 'p1', epoch: 1, raw: packets(4) }]);
    expect(host.of('SegmentClosed')[0]).not.toHaveProperty('inexact');
    expect(host.of('SegmentOpened').at(-1)).toMatchObject({ port: 'p1', epoch: 3, owes: [1] });
    const { counters } = await host.agent.telemetry();
    expect(counters.find((c) => c.port === 'p1')).toMatchObject({ epoch: 3, raw: packets(1) });
  });

  it('owes nothing of one that it has handed in: whoever still expects that lost it', async () => {
    await host.become(3, []);
    await host.become(4, [{ n: 1, epoch: 3 }]);
    expect(host.of('SegmentClosed')).toHaveLength(2);
    expect(host.of('SegmentOpened').at(-1)).toMatchObject({ port: 'p1', epoch: 3, owes: [] });
  });

  it('leaves nothing on the switch once it has', async () => {
    await host.become(3, [{ n: 1, epoch: 3 }, { n: 2 }]);
    await host.become(4, [{ n: 2 }]);
    await settle();
    expect(host.of('SegmentClosed').map((f) => [f.port, f.epoch])).toEqual([
      ['p1', 1],
      ['p1', 3],
    ]);
    expect(Object.keys(host.disk.slots)).toEqual(['p2@1']);
    expect(Object.keys(host.disk.incarnations)).toEqual(['p2@1']);
  });
});
