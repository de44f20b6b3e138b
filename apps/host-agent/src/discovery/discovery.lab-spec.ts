import { type ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { end, startIn } from '../../../../test/lab/exec.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { LabAgent } from '../lab-agent.fixture.js';
import { lldpFrame } from './advertisement.js';
import { discovery } from './discovery.js';

const core = (port: string, host = 'core1') => ({
  ...{ host, switch: 'x', uplink: 'rack4', version: '1', device: port },
  mac: 0x0200_0000_0077n,
});

/** An uplink to somebody who speaks LLDP. tcpdump decodes what we say. */
describe('LLDP on Open vSwitch', () => {
  let lab: Lab;
  let host: LabAgent;
  let guest: LabVm;
  let peer: LabVm;
  let dump: ChildProcess;
  let decoded = '';
  const both = { discovery: { mode: 'both', intervalSeconds: 5 } } as const;

  const shown = (what: RegExp): Promise<true> =>
    until(String(what), () => Promise.resolve(what.test(decoded) ? true : undefined));
  const neighbour = async () => (await host.agent.telemetry()).neighbours?.[0];

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    // As a cable does, and no switch: what is between neighbours passes.
    await lab.inFabric('ip', 'link', 'set', 'fabric', 'type', 'bridge', 'group_fwd_mask', '0x4000');
    peer = await lab.addOutsider({ name: 'peer', mac: '02:00:00:00:00:77', ip: '10.0.0.77' });
    const listen = 'exec tcpdump -i eth0 -vv -l -n -Q in ether proto 0x88cc 2>&1';
    dump = startIn(peer.netns, ['sh', '-c', listen], { stdio: 'pipe' });
    dump.stdout?.on('data', (text: Buffer) => (decoded += text.toString()));
    await shown(/listening on/);
    host = await LabAgent.start(lab.host('a'), [discovery]);
    await host.become([], both);
    guest = await lab.addVm('a', { bridge: host.bridge, ...numbered(1) });
    await host.become([{ n: 1 }], both);
  });

  afterAll(async () => {
    await host?.close();
    if (dump) await end(dump);
    await lab?.destroy();
  });

  it('says what others understand, again and again', async () => {
    await shown(/LLDP, length[^]*LLDP, length[^]*End TLV/);
    expect(decoded).toMatch(/Chassis ID TLV \(1\), length 3\s+Subtype Local \(7\): h1/);
    expect(decoded).toMatch(/Port ID TLV \(2\), length 4\s+Subtype Interface Name \(5\): up0/);
    expect(decoded).toMatch(/Time to Live TLV \(3\), length 2: TTL 21s/);
    expect(decoded).toMatch(/Port Description TLV \(4\), length 21: uplink1 of switch lan/);
    expect(decoded).toMatch(/System\s+Capabilities \[Bridge\]/);
  });

  it('hears a neighbour until it goes, and no guest does', async () => {
    await peer.sendRaw(lldpFrame(core('ge1'), 120));
    await until('the neighbour', async () => ((await neighbour())?.port === 'ge1' ? true : undefined));
    expect(await neighbour()).toMatchObject({ switch: 'lan', uplink: 'uplink1', chassis: 'core1', ttl: 120 });
    expect((await guest.received()).recent.filter(({ hex }) => hex.startsWith('0180c2'))).toEqual([]);
    await peer.sendRaw(lldpFrame(core('ge1'), 0));
    await until('it to go', async () => ((await neighbour()) === undefined ? true : undefined));
  });

  it('takes of a flood what the meter lets through, and hears all the same', async () => {
    const before = host.packetIns;
    await peer.sendRaw(lldpFrame(core('ge9'), 60), 2_000, 2_000);
    await lab.host('a').drained('up0');
    await until('the neighbour', async () => ((await neighbour())?.port === 'ge9' ? true : undefined));
    expect(host.packetIns - before).toBeLessThan(200);
  });

  it('lets nothing out of what a guest says, and takes its own back in the end', async () => {
    await guest.sendRaw(lldpFrame(core('ge1', 'intruder'), 60));
    await lab.host('a').drained(...guest.pluggedAt.map(({ outside }) => outside));
    await host.agent.close();
    await shown(/TTL 0s/);
    expect(decoded).not.toContain('intruder');
  });
});
