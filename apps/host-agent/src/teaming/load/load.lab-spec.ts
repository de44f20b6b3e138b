import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LabAgent } from '../../../../../test/lab/agent.js';
import { Lab, numbered, until, type LabVm } from '../../../../../test/lab/net.js';
import { BRIDGE, mac } from '../../agent.fixture.js';
import { teamingView } from '../teaming.fixture.js';
import { LoadService } from './service.js';

/** A veth says that it does 10 Gbit/s, so three streams of 8 Mbit/s are over this share of it. */
const FIGURES = { intervalMs: 400, threshold: 0.001, gain: 0.0003, rest: 10 };
const PORTS = [1, 3, 5] as const;

/** Ports that by their numbers go by the first of two uplinks, and talk too much for it. */
describe('teaming by load, on a real switch', () => {
  let lab: Lab;
  let agent: LabAgent;
  let far: LabVm;
  const guests = new Map<number, LabVm>();
  const guest = (n: number): LabVm => guests.get(n) as LabVm;

  const view = (revision: number, ports: readonly number[]) =>
    teamingView(
      revision,
      ports.map((n) => ({ n })),
      { teaming: { mode: 'load' }, vlan: { mode: 'access', id: 100 }, devices: ['up0', 'up1'] },
    );
  /** Ports that were moved, as the host tells it. */
  const moved = async () => {
    const { loads = [] } = await agent.agent.telemetry();
    return loads.flatMap((u) => u.moved.map((port) => `${port} ${u.uplink}`));
  };
  const sentBy = async (device: string): Promise<number> => {
    const dump = await lab.ofctl('a', 'dump-ports', BRIDGE, device);
    return Number(/tx pkts=(\d+)/.exec(dump)?.[1]);
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'], uplinks: 2 });
    agent = new LabAgent(lab.host('a'), [(host) => new LoadService(host, FIGURES)]);
    await agent.start();
    await agent.become(view(1, []));
    far = await lab.addOutsider({ name: 'far', mac: mac(9), ip: '10.0.0.9' });
    for (const n of PORTS) guests.set(n, await lab.addVm('a', { bridge: BRIDGE, ...numbered(n) }));
    await agent.become(view(2, PORTS));
  });

  afterAll(async () => {
    await agent?.stop();
    await lab?.destroy();
  });

  it('moves one port to the other uplink, both ways, tells it, and leaves it there', async () => {
    // Else the fabric brings every frame to the other uplink, too.
    await far.send({ to: 'broadcast', count: 1, pps: 100 });
    const talk = PORTS.map((n) => guest(n).send({ to: far, pps: 1_000, size: 1_000 }));
    const [first] = await until('a port to be moved', async () => {
      const told = await moved();
      return told.length > 0 ? told : undefined;
    });
    expect(first).toMatch(/^p[135] uplink2$/);
    const before = await sentBy('up1');
    await until('its frames to leave there', async () =>
      (await sentBy('up1')) > before + 100 ? true : undefined,
    );
    for (const n of PORTS) await guest(n).stopSending();
    await Promise.all(talk);

    const n = Number(first?.slice(1, 2));
    const address = mac(n).replaceAll(':', '');
    const { recent } = await far.received();
    expect(recent.some(({ hex }) => hex.startsWith(`ffffffffffff${address}`) && hex.includes('8035'))).toBe(
      true,
    );

    await far.send({ to: 'broadcast', count: 100, pps: 500, vlan: 100 });
    for (const k of PORTS) {
      const got = await until('100 broadcasts', async () => {
        const seen = await guest(k).receivedFrom(far, 'broadcast');
        return seen.unique === 100 ? seen : undefined;
      });
      expect(got.duplicates).toBe(0);
    }
    expect(await moved()).toContain(first);
  });
});
