import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const SIZE = 1_000;
const MBIT = 1_000_000;
const said = { shares: 50, limit: null, reservation: 0, class: 'vm' };
const host = (override: object, doc: object = {}): HostSpec => ({
  switches: { lan: { uplink1: 'up0' } },
  docs: [{ ...switchDoc(), ...doc }],
  groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 } } as never)],
  ports: [{ n: 1, override: override as never }, { n: 2 }],
});

/** Limits and shaping, on a real switch. */
describe('bandwidth on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let one: LabVm;
  let two: LabVm;
  let outsider: LabVm;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    a = await realHost(lab, 'a');
    await a.become({ ...host({}), ports: [] });
    const add = (n: number) => lab.addVm('a', { bridge: BRIDGE, ...numbered(n) });
    [one, two] = [await add(1), await add(2)];
    outsider = await lab.addOutsider({ name: 'out', mac: mac(99), ip: '10.0.0.99' });
    await a.become(host({}));
  });

  afterAll(async () => {
    await a?.driver.close();
    await lab?.destroy();
  });

  /**
   * Of what is sent at four times the rate, no more arrives than that. How much less says how busy the machine is, which
   * lets the sender bunch its frames; that the rate is the wanted one is in the golden flows.
   */
  const holds = async (from: LabVm, to: LabVm, rate: number): Promise<void> => {
    const { count } = await to.receivedFrom(from);
    const second = rate / 8 / SIZE;
    const sending = from.send({ to, pps: 4 * second, size: SIZE });
    const reading = (more: number) =>
      until(`${more} frames`, async () => {
        const now = await to.receivedFrom(from);
        return now.count >= count + more ? now : undefined;
      });
    // By the first reading the bucket is empty.
    const [first, last] = [await reading(0.4 * second), await reading(1.2 * second)];
    await from.stopSending();
    await sending;
    const seconds = (last.lastAt - first.lastAt) / 1_000;
    expect(((last.count - first.count) * SIZE * 8) / seconds).toBeLessThan(1.1 * rate);
  };

  /** What the switch read of the first one's (a busy machine loses some before), dropped of it, and what arrived. */
  const now = async () => {
    await lab.host('a').drained(one.pluggedAt[0]?.outside ?? '');
    const [[read = []], [dropped]] = [await a.counts(1), await a.dropped(1)];
    return { read: read.reduce((sum, n) => sum + n, 0), dropped, got: (await two.receivedFrom(one)).unique };
  };
  type Moment = Awaited<ReturnType<typeof now>>;
  const arrivesSince = (before: Moment, what: string): Promise<Moment> =>
    until(what, async () => {
      const all = await now();
      const passed = all.read - before.read - (all.dropped - before.dropped);
      return all.got - before.got === passed ? all : undefined;
    });

  it('holds a port to its limit, each direction for itself', async () => {
    await a.become(host({ bandwidth: { ...said, limit: 2 * MBIT } }));
    expect(a.compiled.exceptions).toEqual([]);
    await Promise.all([holds(one, two, 2 * MBIT), holds(two, one, 2 * MBIT)]);
  });

  it('holds a class to its limit on the uplink, and nothing else', async () => {
    const classes = { storage: { ...said, limit: 2 * MBIT } };
    const doc = { bandwidth: { classes, reservable: 75 } };
    await a.become(host({ bandwidth: { ...said, class: 'storage' } }, doc));
    expect(a.compiled.exceptions).toEqual([]);
    await holds(one, outsider, 2 * MBIT);
    const before = await now();
    await one.send({ to: two, pps: 1_000, size: SIZE, count: 500 });
    const after = await arrivesSince(before, 'what stays on the host');
    expect([after.dropped, after.read > before.read + 300]).toEqual([before.dropped, true]);
  });

  it('lets a burst through at once, no more than the peak after it, and counts what it drops', async () => {
    await a.become(host({ shapingIn: { average: MBIT, peak: 100 * MBIT, burst: 100_000 } }));
    const before = await now();
    await one.send({ to: two, pps: 2_000, size: SIZE, count: 90 });
    const burst = await arrivesSince(before, 'the burst');
    expect([burst.dropped, burst.read > before.read + 50]).toEqual([before.dropped, true]);
    await one.send({ to: two, pps: 2_000, size: SIZE, count: 200 });
    const rest = await arrivesSince(before, 'what the average lets through of the rest');
    expect(rest.dropped).toBeGreaterThan(before.dropped);
    await a.become(host({ shapingIn: { average: MBIT, peak: 2 * MBIT, burst: 4_000_000 } }));
    await holds(one, two, 2 * MBIT);
  });

  it('refuses shares, for which there would have to be queues', async () => {
    await a.become(host({ bandwidth: { ...said, shares: 100 } }));
    expect(a.compiled.exceptions).toMatchObject([{ port: 'p1', code: 'not-enforceable' }]);
    expect(a.compiled.exceptions[0]?.reason).toContain('shares');
    expect(a.compiled.bindings.find((b) => b.port === 'p1')?.open).toBe(false);
  });
});
