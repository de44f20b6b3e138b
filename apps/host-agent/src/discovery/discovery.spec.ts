import { describe, expect, it } from '@jest/globals';
import { type Discovery } from '#domain';
import { AgentHost, BRIDGE, settle, view } from '../agent.fixture.js';
import { type Snapshot } from '#protocol';
import { lldpFrame } from './advertisement.js';
import { discovery } from './discovery.js';
import { parseLldp } from './lldp.js';

/** `view` with a switch that discovers so. */
function discovering(revision: number, mode: Discovery['mode']): Snapshot {
  const base = view(revision, []);
  const documents = [...base.documents].map(([key, doc]) => [
    key,
    doc.type === 'switch' ? { ...doc, discovery: { mode, intervalSeconds: 10 } } : doc,
  ]);
  return { ...base, documents: new Map(documents as never) };
}

async function world(mode: Discovery['mode']) {
  const host = new AgentHost();
  host.services = [discovery];
  await host.start();
  const become = async (revision: number, now: Discovery['mode']): Promise<void> => {
    host.agent.documents(discovering(revision, now));
    await settle();
  };
  await become(1, mode);
  /** Times to live that were told since the last time. */
  const told = (): number[] =>
    host.out.splice(0).flatMap(({ frame }) => {
      const said = parseLldp(frame);
      return said.ok ? [said.value.ttl] : [];
    });
  const pass = async (ms: number): Promise<void> => {
    host.clock.advance(ms);
    await settle();
  };
  const hear = async (port: string, ttl: number): Promise<void> => {
    const mac = 0x0200_0000_0007n;
    const from = { host: 'core', switch: '', uplink: '', device: port, mac, version: '' };
    host.switch.inject('eth0', lldpFrame(from, ttl));
    await settle();
  };
  const neighbour = async () => (await host.agent.telemetry()).neighbours?.[0];
  return { host, become, told, pass, hear, neighbour };
}

describe('an uplink is told of', () => {
  it('at once, again and again, and taken back in the end', async () => {
    const { host, told, pass } = await world('advertise');
    expect(told()).toEqual([41]);
    await pass(7_900);
    expect(told()).toEqual([]);
    await pass(2_100);
    expect(told()).toEqual([41]);
    await host.agent.close();
    expect(told()).toEqual([0]);
    await pass(60_000);
    expect(told()).toEqual([]);
  });

  it('when its link comes back, and no more when nobody wants it', async () => {
    const { host, become, told } = await world('both');
    told();
    host.switch.setLink('eth0', false);
    await settle();
    told();
    host.switch.setLink('eth0', true);
    await settle();
    expect(told()).toEqual([41]);
    await become(2, 'listen');
    expect(told()).toEqual([0]);
  });
});

describe('a neighbour', () => {
  it('is known while it says so, and by whom it was first', async () => {
    const { told, pass, hear, neighbour } = await world('listen');
    expect(told()).toEqual([]);
    await hear('ge1', 30);
    expect(await neighbour()).toMatchObject({
      switch: 'lan',
      uplink: 'uplink1',
      chassis: 'core',
      port: 'ge1',
    });
    await hear('ge2', 90);
    expect(await neighbour()).toMatchObject({ port: 'ge1', others: 1 });
    await pass(31_000);
    expect(await neighbour()).toMatchObject({ port: 'ge2', others: 0 });
    await hear('ge2', 0);
    expect(await neighbour()).toBeUndefined();
  });

  it('is forgotten with the link, and not heard where nobody listens', async () => {
    const { host, become, hear, neighbour } = await world('both');
    await hear('ge1', 30);
    host.switch.setLink('eth0', false);
    await settle();
    host.switch.setLink('eth0', true);
    await settle();
    expect(await neighbour()).toBeUndefined();
    await become(2, 'advertise');
    await hear('ge1', 30);
    expect(await neighbour()).toBeUndefined();
  });

  it('floods the agent with no more than it can bear', async () => {
    const { host, hear } = await world('listen');
    const { bridges } = host.switch;
    for (let i = 0; i < 100; i += 1) await hear(`ge${i}`, 30);
    expect((await host.agent.telemetry()).neighbours?.[0]?.others).toBe(7);
    expect(bridges.has(BRIDGE)).toBe(true);
  });
});
