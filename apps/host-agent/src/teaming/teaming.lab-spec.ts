import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock, type HostName, type Revision } from '#kernel';
import { OvsDriver } from '#ovs';
import { type Teaming } from '#domain';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { Agent } from '../agent.js';
import { BRIDGE, mac } from '../agent.fixture.js';
import { FactJournal } from '../facts/journal.js';
import { NoHypervisor } from '../hypervisor/hypervisor.js';
import { LocalMemory } from '../state/local-memory.js';
import { emptyMemory } from '../state/memory.js';
import { teamingView } from './teaming.fixture.js';

/** An agent on a real switch with two uplinks into one segment, and somebody outside who listens. */
describe('teaming, told to the switches outside', () => {
  let lab: Lab;
  let agent: Agent;
  let driver: OvsDriver;
  let journal: FactJournal;
  let guest: LabVm;
  let far: LabVm;
  let realised = 0;
  let revision = 0;

  const become = async (bindings: readonly { n: number }[], teaming: Partial<Teaming>): Promise<void> => {
    revision += 1;
    const vlan = { mode: 'trunk', ranges: [{ from: 100, to: 103 }] };
    agent.documents(teamingView(revision, bindings, { teaming, vlan, devices: ['up0', 'up1'] }));
    await until('the revision to be realised', () =>
      Promise.resolve(realised >= revision ? true : undefined),
    );
  };
  /** VLANs in which the guest was announced to the outside, in the order of their coming. */
  const announced = async (): Promise<number[]> => {
    const { recent } = await far.received();
    const address = mac(1).replaceAll(':', '');
    const ours = recent.filter(
      ({ hex }) => hex.startsWith(`ffffffffffff${address}`) && /^.{24}(8100....)?8035/.test(hex),
    );
    return ours.map(({ vlan }) => vlan ?? 0);
  };
  /** Waits until it was announced so often in each of the VLANs: thrice each time that it is told. */
  const rounds = async (count: number): Promise<void> => {
    await until(`${count} announcements in each VLAN`, async () => {
      const seen = await announced();
      const least = Math.min(...[100, 101, 102, 103].map((v) => seen.filter((x) => x === v).length));
      return least >= count ? true : undefined;
    });
  };
  const link = async (device: string, state: 'up' | 'down'): Promise<void> => {
    await lab.host('a').setUplink(device, state);
    await until(`${device} to be ${state}`, async () =>
      (await driver.interfaces()).find((i) => i.name === device)?.linkUp === (state === 'up')
        ? true
        : undefined,
    );
    await lab.appctl('a', 'revalidator/wait');
  };
  /** Frames of the guest that left by each uplink, of 30 that it sends. */
  const leaves = async (): Promise<number[]> => {
    const sent = async (): Promise<number[]> => {
      const interfaces = await driver.interfaces();
      const stats = await driver.portStats(BRIDGE);
      return ['up0', 'up1'].map((name) => {
        const number = interfaces.find((i) => i.name === name)?.ofport;
        return Number(stats.find((s) => s.number === number)?.txPackets ?? 0n);
      });
    };
    const before = await sent();
    await guest.send({ to: far, count: 300, pps: 2_000, vlan: 100 });
    await lab.host('a').drained(...guest.pluggedAt.map(({ outside }) => outside));
    // Announcements on the way are few beside these.
    return (await sent()).map((count, i) => Math.round((count - (before[i] ?? 0)) / 100));
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'], uplinks: 2 });
    driver = new OvsDriver({ rundir: lab.host('a').rundir, datapathType: 'netdev' });
    const kept = () => Promise.resolve();
    const taken = () => Promise.resolve(true);
    let ids = 0;
    journal = new FactJournal(
      'h1' as HostName,
      'boot',
      taken,
      kept,
      systemClock.now,
      systemClock.after,
      null,
    );
    agent = new Agent({
      host: 'h1' as HostName,
      boot: 'boot',
      driver,
      hypervisor: new NoHypervisor(),
      journal,
      memory: new LocalMemory('boot', emptyMemory('boot'), kept),
      clock: systemClock,
      ids: { next: () => (ids += 1).toString(16).padStart(8, '0') },
      log: { info: () => undefined, warn: () => undefined },
      report: (report: { readonly realised: Revision }) => {
        realised = report.realised;
      },
    });
    await agent.start(null);
    await become([], {});
    far = await lab.addOutsider({ name: 'far', mac: mac(9), ip: '10.0.0.9' });
    guest = await lab.addVm('a', { bridge: BRIDGE, ...numbered(1) });
  });

  afterAll(async () => {
    await agent?.close();
    journal?.close();
    await lab?.destroy();
  });

  it('in each VLAN of a trunk: when it comes, when its uplink fails, and when it goes back', async () => {
    await become([{ n: 1 }], {});
    await rounds(3);
    expect(await leaves()).toEqual([3, 0]);
    await link('up0', 'down');
    await rounds(6);
    expect(await leaves()).toEqual([0, 3]);
    await link('up0', 'up');
    await rounds(9);
    expect(await leaves()).toEqual([3, 0]);
    expect(new Set(await announced())).toEqual(new Set([100, 101, 102, 103]));
  });

  it('stays where it went without failback, until that uplink fails', async () => {
    await become([{ n: 1 }], { failback: false });
    expect(await leaves()).toEqual([0, 3]);
    await link('up1', 'down');
    expect(await leaves()).toEqual([3, 0]);
    await link('up1', 'up');
    expect(await leaves()).toEqual([3, 0]);
  });
});
