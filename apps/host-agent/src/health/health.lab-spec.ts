import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type UplinkHealth } from '#contracts';
import { Lab, until } from '../../../../test/lab/net.js';
import { LabAgent } from '../lab-agent.fixture.js';
import { health } from './health.js';

const PORTS = ['a', 'b'].flatMap((host) => ['up0', 'up1'].map((uplink) => [host, uplink] as const));
const USED = [100, 101];
const scene = {
  healthCheck: { intervalSeconds: 1 },
  policy: {
    vlan: { mode: 'trunk', ranges: [{ from: 100, to: 101 }] },
    teaming: {
      ...{ mode: 'explicit', failback: true, notify: true, detection: 'link' },
      ...{ active: ['uplink1', 'uplink2'], standby: [] },
    },
  } as never,
};

/** Two hosts with two uplinks each, in a fabric that carries VLANs 100 and 101, but for what a test takes away. */
describe('the health check on Open vSwitch', () => {
  let lab: Lab;
  let a: LabAgent;
  let b: LabAgent;

  const told = async (host: LabAgent): Promise<readonly UplinkHealth[]> =>
    (await host.agent.telemetry()).health ?? [];
  /** `h1 uplink1 vlan 101`, of both hosts. */
  const faults = async (): Promise<string[]> => {
    const all = [await told(a), await told(b)].map((uplinks, i) =>
      uplinks.flatMap((u) => u.faults.map((f) => `h${i + 1} ${u.uplink} ${f.kind} ${f.vlan}`)),
    );
    return all.flat().sort();
  };
  const answered = (host: LabAgent, count: number) =>
    until(`answers in ${count} VLANs`, async () => {
      const seen = await told(host);
      return seen.reduce((sum, u) => sum + u.answered, 0) === count ? true : undefined;
    });
  const become = (what: string, expected: readonly string[]) =>
    until(what, async () => ((await faults()).join() === expected.join() ? true : undefined));
  /** VLANs that the log knows not to get through by the first uplink of the first host. */
  const lacks = (vlans: readonly number[]) =>
    until(`the log to know that ${vlans.join()} is missed`, async () => {
      const told = a.facts.flatMap((f) =>
        f.type === 'UplinkVlans' && f.uplink === 'uplink1' ? [f.missing] : [],
      );
      return told.at(-1)?.join() === vlans.join();
    });
  /** VLANs that a port of the physical switch carries. */
  const carries = (host: string, uplink: string, vlans: readonly number[]) =>
    lab.vsctl('phys', 'set', 'Port', lab.fabricPort(host, uplink), `trunks=${vlans.join()}`);
  const takes = (host: string, uplink: string, mtu: number) =>
    lab.host('phys').exec('ip', 'link', 'set', lab.fabricPort(host, uplink), 'mtu', String(mtu));

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b', 'phys'], uplinks: 2 });
    // Its own bridge knows no VLANs on every kernel, so a switch is put in its place.
    await lab.vsctl('phys', 'add-br', 'phys', '--', 'set', 'Bridge', 'phys', 'datapath_type=netdev');
    for (const [host, uplink] of PORTS) {
      const port = lab.fabricPort(host, uplink);
      await lab.inFabric('ip', 'link', 'set', port, 'nomaster', 'netns', lab.host('phys').netns);
      await lab.host('phys').exec('ip', 'link', 'set', port, 'up');
      await lab.vsctl('phys', 'add-port', 'phys', port);
      await carries(host, uplink, USED);
    }
    [a, b] = await Promise.all([
      LabAgent.start(lab.host('a'), [health], 'h1'),
      LabAgent.start(lab.host('b'), [health], 'h2'),
    ]);
    await a.become([{ n: 1 }], { ...scene, name: 'h1' });
    await b.become([{ n: 2 }], { ...scene, name: 'h2' });
  });

  afterAll(async () => {
    await a?.close();
    await b?.close();
    await lab?.destroy();
  });

  it('finds nothing where everything gets through', async () => {
    for (const host of [a, b]) await answered(host, 4);
    expect(await faults()).toEqual([]);
    expect((await told(a)).map(({ hosts }) => hosts)).toEqual([1, 1]);
  });

  it('names the port that lacks a VLAN and the one that takes no full frames, and no others', async () => {
    await carries('a', 'up0', [100]);
    await takes('b', 'up1', 1_400);
    await become('the faults', ['h1 uplink1 vlan 101', 'h2 uplink2 mtu 100', 'h2 uplink2 mtu 101']);
    const [blamed] = (await told(a)).flatMap((u) => u.faults);
    expect(blamed?.reason).toMatch(/of VLAN 101 do not get through by uplink1 \(up0\), and h2 uses it/);
    await lacks([101]);
  });

  it('takes it back when it is mended', async () => {
    await carries('a', 'up0', USED);
    await takes('b', 'up1', 1_500);
    await become('no fault', []);
    await lacks([]);
  });

  it('blames nobody when the other host is down', async () => {
    await carries('a', 'up0', [100]);
    await b.agent.close();
    await until('that nobody is heard', async () => ((await told(a))[0]?.hosts === 0 ? true : undefined));
    expect((await told(a)).flatMap((u) => u.faults)).toEqual([]);
    expect((await told(a))[0]?.unheard).toBe(1);
  });
});
