import { describe, expect, it } from '@jest/globals';
import { AgentHost, settle } from '../agent.fixture.js';
import { type Devices } from './devices.js';
import { pnics } from './service.js';

const LINE = '2: eth0: <BROADCAST> mtu 1500';
const MASTER = { master: 'br0', linkinfo: { info_slave_kind: 'bridge' } };

/** A host whose tools say what the test wants. */
class SaidDevices implements Devices {
  eth0: object = {};
  features_ = '';
  /** What the tools fail with. */
  fails: string | null = null;
  looks = 0;
  changed: (line: string) => void = () => undefined;
  ended: ((why: string) => void) | null = null;

  addresses(): Promise<string> {
    this.looks += 1;
    if (this.fails !== null) return Promise.reject(new Error(this.fails));
    return Promise.resolve(JSON.stringify([{ ifname: 'eth0', addr_info: [], ...this.eth0 }]));
  }

  features(): Promise<string> {
    return Promise.resolve(this.features_);
  }

  watch(changed: (line: string) => void, ended: (why: string) => void): () => void {
    this.changed = changed;
    this.ended = ended;
    return () => (this.ended = null);
  }
}

async function world(devices: SaidDevices, datapath: 'system' | 'netdev' = 'netdev') {
  const host = new AgentHost();
  host.services = [pnics(devices, datapath)];
  await host.start();
  await host.become(1, []);
  const codes = () => host.reports.at(-1)?.exceptions.map(({ code }) => code);
  const plugged = async () =>
    (await host.agent.telemetry()).uplinks.some(({ device, up }) => device === 'eth0' && up);
  const pass = async (ms: number): Promise<void> => {
    host.clock.advance(ms);
    await settle();
  };
  // The look after a second, and the rest from it.
  for (const ms of [1_000, 200]) await pass(ms);
  const become = async (eth0: object): Promise<void> => {
    devices.eth0 = eth0;
    devices.changed(LINE);
    await settle();
  };
  return { host, codes, plugged, pass, become };
}

describe('a pNIC', () => {
  it('is looked at before it is plugged, and is plugged when it is free', async () => {
    const devices = new SaidDevices();
    devices.eth0 = MASTER;
    const { host, codes, plugged, become } = await world(devices);
    expect(codes()).toEqual(['uplink-in-use']);
    expect(host.reports.flatMap((r) => r.exceptions.map((e) => e.code))).not.toContain('uplink-missing');
    expect(await plugged()).toBe(false);
    await become({});
    expect(codes()).toEqual([]);
    expect(await plugged()).toBe(true);
  });

  it('stays when it serves something else later, and that is told', async () => {
    const devices = new SaidDevices();
    const { codes, plugged, become } = await world(devices);
    expect([codes(), await plugged()]).toEqual([[], true]);
    await become({ addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 8 }] });
    expect([codes(), await plugged()]).toEqual([['uplink-advice'], true]);
  });

  it.each([
    ['netdev', ['uplink-in-use']],
    ['system', []],
  ] as const)('may not merge frames where the datapath is %s', async (datapath, expected) => {
    const devices = new SaidDevices();
    devices.features_ = 'large-receive-offload: on\n';
    const { codes } = await world(devices, datapath);
    expect(codes()).toEqual(expected);
  });
});

describe('looking', () => {
  it('is rested from, whatever happens, and never misses the last change', async () => {
    const devices = new SaidDevices();
    const { codes, pass } = await world(devices);
    const before = devices.looks;
    devices.eth0 = {};
    for (let i = 0; i < 1_000; i += 1) devices.changed(LINE);
    await settle();
    devices.eth0 = MASTER;
    for (let i = 0; i < 1_000; i += 1) devices.changed('something was missed');
    await pass(200);
    expect(devices.looks - before).toBe(2);
    expect(codes()).toEqual(['uplink-advice']);
    await pass(60_000);
    devices.changed('7: tap3: <UP> mtu 1500');
    await pass(60_000);
    expect(devices.looks - before).toBe(2);
  });

  it('is said once to be impossible, keeps nothing from being carried out, and is tried again', async () => {
    const devices = new SaidDevices();
    devices.fails = 'spawn ip ENOENT';
    devices.eth0 = MASTER;
    const { host, codes, plugged, pass } = await world(devices);
    expect([codes(), await plugged()]).toEqual([[], true]);
    devices.ended?.('Error: spawn ip ENOENT');
    await pass(60_000);
    expect(host.warnings.filter((w) => w.includes('can not be looked at'))).toHaveLength(1);
    devices.fails = null;
    await pass(10_000);
    expect(codes()).toEqual(['uplink-advice']);
  });

  it('ends with the agent', async () => {
    const devices = new SaidDevices();
    const { host, pass } = await world(devices);
    await host.agent.close();
    expect(devices.ended).toBeNull();
    const before = devices.looks;
    devices.changed(LINE);
    await pass(60_000);
    expect(devices.looks).toBe(before);
  });
});
