import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LEASE } from '#domain';
import { type LeaseAnswer } from '#contracts';
import { AgentHost, frame, mac, settle, view } from '../agent.fixture.js';
import { leased } from './service.js';

const isolate = { group: { partitionPolicy: 'isolate' } } as const;
const GRANTED: LeaseAnswer = { schema: 1, granted: true };
const TOKEN = '03:5e:c2:e7:00:01';

let host: AgentHost;
/** What the centre answers, and how often it was asked. */
let answer: () => Promise<LeaseAnswer | null>;
let asked: number;

beforeEach(() => {
  host = new AgentHost();
  asked = 0;
  answer = () => Promise.resolve(GRANTED);
  host.services = [
    leased(() => {
      asked += 1;
      return answer();
    }),
  ];
});
afterEach(() => host.agent.close());

/** Two guests of a group that isolates. */
async function running(): Promise<void> {
  await host.start();
  await host.become(1, [], isolate);
  for (const n of [1, 2]) await host.plug(n);
  await host.become(2, [{ n: 1 }, { n: 2 }], isolate);
}

const passes = async (from = 1, to = 2): Promise<boolean> => {
  const before = host.received(`tap${to}`);
  await host.send(from, mac(to));
  return host.received(`tap${to}`) > before;
};
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    host.clock.advance(Math.min(500, left));
    await settle();
  }
}

describe('ports of a group that isolates', () => {
  it('are open while the centre grants the lease, and nothing is written for that', async () => {
    await running();
    expect(await passes()).toBe(true);
    host.steps.length = 0;
    await pass(60_000);
    expect(asked).toBeGreaterThan(25);
    expect(await passes()).toBe(true);
    host.agent.audit();
    await settle();
    expect(host.steps).toEqual([]);
    expect(host.of('Drift')).toEqual([]);
  });

  it.each([
    ['does not answer', () => Promise.resolve(null)],
    ['refuses', () => Promise.resolve({ schema: 1, granted: false, reason: 'no' } as const)],
    ['fails', () => Promise.reject(new Error('no'))],
  ])('are closed by the switch when it %s, counted, and open with the next grant', async (_how, no) => {
    await running();
    answer = no;
    await pass(LEASE.rowSeconds * 1_000 - 2_500);
    expect(await passes()).toBe(true);
    await pass(3_000);
    expect(await passes()).toBe(false);
    expect(host.warnings).toContain('there is no lease: ports of groups that isolate are closed');
    const { counters } = await host.agent.telemetry();
    expect(counters.find((c) => c.port === 'p1')?.raw.in.unicast.packets).toBe(2);
    answer = () => Promise.resolve(GRANTED);
    await pass(LEASE.everyMs);
    expect(await passes()).toBe(true);
    expect(host.of('SegmentOpened')).toHaveLength(2);
  });

  it.each([0, 500, 1_000, 1_500])(
    'stay open while nobody answers for 6 s, from %i ms after an answer on',
    async (later) => {
      const go = async (ms: number): Promise<void> => {
        for (let at = 0; at < ms; at += 100) {
          host.clock.advance(100);
          await settle();
        }
      };
      await running();
      await go(later);
      answer = () =>
        new Promise((resolve) => void host.clock.after(LEASE.everyMs + 100, () => resolve(null)));
      await go(6_000);
      answer = () => Promise.resolve(GRANTED);
      for (let ms = 0; ms < 6_000; ms += 500) {
        await go(500);
        expect(await passes()).toBe(true);
      }
    },
  );

  it('are closed by the switch alone when the agent is gone, and stay open over its restart', async () => {
    await running();
    await host.agent.close();
    host.clock.advance(3_000);
    answer = () => Promise.resolve(null);
    await host.start(view(2, [{ n: 1 }, { n: 2 }], isolate));
    expect(await passes()).toBe(true);
    await host.agent.close();
    host.clock.advance(LEASE.rowSeconds * 1_000);
    expect(await passes()).toBe(false);
  });

  it('stay closed when the answer comes to an agent that slept', async () => {
    await running();
    answer = () => Promise.resolve(null);
    await pass(LEASE.rowSeconds * 1_000);
    let wake: (answer: LeaseAnswer) => void = () => undefined;
    answer = () => new Promise((resolve) => (wake = resolve));
    await pass(LEASE.everyMs);
    host.clock.advance(LEASE.askedSeconds * 1_000);
    wake(GRANTED);
    await settle();
    expect(await passes()).toBe(false);
  });

  it('leave others as they are, and ask for nothing where there are none', async () => {
    answer = () => Promise.resolve(null);
    await host.start();
    await host.become(1, []);
    for (const n of [1, 2]) await host.plug(n);
    await host.become(2, [{ n: 1 }, { n: 2 }]);
    await pass(30_000);
    expect([asked, await passes()]).toEqual([0, true]);
  });

  it('that wait for a guest open only while the lease stands, and for good only with an agent that lives', async () => {
    answer = () => Promise.resolve(null);
    await host.start();
    await host.become(1, [], isolate);
    for (const n of [1, 2]) await host.plug(n);
    await host.become(2, [{ n: 1, role: 'standby', epoch: 2, token: TOKEN }, { n: 2 }], isolate);
    await host.send(1, 'ff:ff:ff:ff:ff:ff');
    expect(host.of('PortActivated')).toEqual([]);
    answer = () => Promise.resolve(GRANTED);
    await pass(LEASE.everyMs);
    await host.send(1, 'ff:ff:ff:ff:ff:ff');
    expect(host.of('PortActivated')).toHaveLength(1);
    expect(await passes()).toBe(true);
    await host.agent.close();
    host.clock.advance(LEASE.rowSeconds * 1_000);
    expect(await passes()).toBe(false);
  });
});

describe('what the agent announces for a port', () => {
  it('leaves by the uplink while the port is open, and no more', async () => {
    await running();
    const announced = async (n: number): Promise<number> => {
      await host.plug(n);
      // It waits for its port, and whatever it says when it starts is not heard.
      await pass(3_000);
      const before = host.received('eth0');
      await host.become(
        n,
        [1, 2, 3, 4].slice(0, n).map((m) => ({ n: m })),
        isolate,
      );
      await pass(2_000);
      return host.received('eth0') - before;
    };
    expect(await announced(3)).toBe(3);
    answer = () => Promise.resolve(null);
    await pass(LEASE.rowSeconds * 1_000 + LEASE.everyMs);
    expect(await announced(4)).toBe(0);
  });
});

describe('a host that started anew, and has not heard of the centre', () => {
  const held = (group: object) => view(2, [{ n: 1 }, { n: 2 }], { group });
  /** The switch is as it is after a boot, with its guests started. */
  async function booted(group: object): Promise<void> {
    answer = () => Promise.resolve(null);
    await host.start(null, 'first');
    await host.become(1, [], { group });
    for (const n of [1, 2]) await host.plug(n);
    host.agent.documents(held(group));
    await settle();
    await host.agent.close();
    await host.start(held(group), 'second');
  }

  it('keeps its ports closed until it has', async () => {
    await booted({});
    expect(await passes()).toBe(false);
    // A run of the agent later it still has not.
    await host.agent.close();
    await host.start(held({}), 'second');
    expect(await passes()).toBe(false);
    host.agent.documents(held({}));
    await settle();
    expect(await passes()).toBe(true);
    await host.agent.close();
    await host.start(held({}), 'second');
    expect(await passes()).toBe(true);
  });

  it.each([
    ['at rest', () => undefined],
    ['in the middle of a pass', () => host.agent.audit()],
  ])('opens nothing of what it held that is no more when it hears so: %s', async (_when, before) => {
    await booted({});
    // The guest speaks after whatever is changed.
    host.applied = () => host.switch.inject('tap1', frame(mac(1), mac(2)));
    const passed = host.received('tap2');
    host.reports = [];
    before();
    host.agent.documents(view(3, [{ n: 2 }], { group: {} }));
    await settle();
    expect(host.received('tap2')).toBe(passed);
    expect(host.reports.at(-1)).toMatchObject({ realised: 3, exceptions: [] });
  });

  it.each([
    ['opens those whose group says so', { startOffline: true }, true],
    ['but for those that isolate', { startOffline: true, partitionPolicy: 'isolate' }, false],
  ])('%s', async (_what, group, open) => {
    await booted(group);
    expect(await passes()).toBe(open);
  });
});
