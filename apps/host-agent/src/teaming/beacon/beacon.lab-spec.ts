import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabAgent } from '../../../../../test/lab/agent.js';
import { Lab, numbered, until, type LabVm } from '../../../../../test/lab/net.js';
import { BRIDGE } from '../../agent.fixture.js';
import { teamingView } from '../teaming.fixture.js';
import { BEACON_FIGURES } from './circle.js';
import { BeaconService } from './service.js';

const FIGURES = { ...BEACON_FIGURES, intervalMs: 150 };
const BEACON_HEX = '03504f52544c';
/** The receiver's kernel takes it off. */
const TAG = '81000064';
const UPLINK_AT = 19;

/** Three uplinks, one of which the fabric comes to drop everything of, with its link up. */
describe('beacons, on a real switch', () => {
  let lab: Lab;
  let agent: LabAgent;
  let far: LabVm;
  let guest: LabVm;

  const view = (revision: number, ports: readonly number[], devices = ['up0', 'up1', 'up2']) =>
    teamingView(
      revision,
      ports.map((n) => ({ n })),
      { teaming: { detection: 'beacon' }, vlan: { mode: 'access', id: 100 }, devices },
    );
  const states = async () => ((await agent.agent.telemetry()).beacons ?? []).map(({ state }) => state).join();
  const become = (wanted: string) =>
    until(`uplinks to be ${wanted}`, async () => ((await states()) === wanted ? true : undefined));
  /** Frames that reach the outside, of 40 that the guest sends. */
  const arrive = async (): Promise<number> => {
    await far.resetReceived();
    await guest.send({ to: far, count: 40, pps: 1_000 });
    await lab.host('a').drained(...guest.pluggedAt.map(({ outside }) => outside));
    await far.send({ to: guest, count: 1, pps: 100, vlan: 100 });
    return (await far.receivedFrom(guest)).unique;
  };
  /** Frames with the MAC of an uplink that other uplinks brought, and that the agent got to judge. */
  const handedOver = async (uplink: string): Promise<number> => {
    const mac = JSON.parse(await lab.vsctl('a', 'get', 'Interface', uplink, 'mac_in_use')) as string;
    const flows = await lab.ofctl('a', 'dump-flows', BRIDGE, `table=40,dl_src=${mac}`);
    return [...flows.matchAll(/n_packets=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  /** Beacons as they are on the wire, so many at least. */
  const overheard = (count: number): Promise<Buffer[]> =>
    until(`${count} beacons`, async () => {
      const all = (await far.received()).recent.filter(({ hex }) => hex.startsWith(BEACON_HEX));
      const frames = all.map(({ hex }) => Buffer.from(hex.slice(0, 24) + TAG + hex.slice(24), 'hex'));
      return frames.length < count ? undefined : frames;
    });
  /** The fabric's port of an uplink drops what comes and brings nothing, with its link up; or is as before. */
  const dropAt = (uplink: string, drops = true) =>
    lab.inFabric(
      'ip',
      'link',
      'set',
      lab.fabricPort('a', uplink),
      ...(drops ? ['nomaster'] : ['master', 'fabric']),
    );
  const order = () => agent.agent.compiled?.bindings[0]?.carried?.uplinks.map(({ name }) => name);

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'], uplinks: 3 });
    agent = new LabAgent(lab.host('a'), [(host) => new BeaconService(host, FIGURES)]);
    await agent.start();
    await agent.become(view(1, []));
    far = await lab.addOutsider(numbered(9));
    guest = await lab.addVm('a', { bridge: BRIDGE, ...numbered(1) });
    await agent.become(view(2, [1]));
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  it('take a port off an uplink that leads nowhere, whoever forges or repeats them, and back when it leads somewhere', async () => {
    await become('heard,heard,heard');
    expect(await arrive()).toBe(40);
    const before = await overheard(10);

    await dropAt('up0');
    await until('the port to go elsewhere', () =>
      Promise.resolve(order()?.join() === 'uplink2,uplink3,uplink1' ? true : undefined),
    );
    await become('alone,heard,heard');
    expect(await arrive()).toBe(40);

    // All that was ever said, and the same of another uplink: whoever is on the wire can send it.
    const asItWas = await handedOver('up0');
    for (const frame of [...before, ...(await overheard(10))]) {
      await far.sendRaw(frame, 1, 1_000);
      frame.writeUInt8(1, UPLINK_AT);
      await far.sendRaw(frame, 1, 1_000);
    }
    await until('the switch to hand over what was forged', async () =>
      (await handedOver('up0')) >= asItWas + before.length ? true : undefined,
    );
    await become('alone,heard,heard');
    expect(order()?.[0]).toBe('uplink2');
    expect(await arrive()).toBe(40);

    await dropAt('up0', false);
    await until('the port to be back', () => Promise.resolve(order()?.[0] === 'uplink1' ? true : undefined));
    expect(await arrive()).toBe(40);
  });

  it('say of two uplinks that it can’t be known which one leads nowhere, and move nothing', async () => {
    await agent.become(view(3, [1], ['up0', 'up1']));
    await become('heard,heard');
    await dropAt('up0');
    await become('unknown,unknown');
    expect(order()).toEqual(['uplink1', 'uplink2']);
  });
});
