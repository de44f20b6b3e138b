import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { LabAgent } from '../lab-agent.fixture.js';
import { HostDevices } from './devices.js';
import { pnics } from './service.js';

/** A pNIC of a host whose operator has other plans with it. */
describe('a pNIC that serves something else, on Open vSwitch', () => {
  let lab: Lab;
  let agent: LabAgent;
  let guest: LabVm;
  let outsider: LabVm;
  const device = (...args: string[]) => lab.host('a').exec('ip', ...args);
  const ports = async () => (await lab.vsctl('a', 'list-ports', agent.bridge)).split('\n');

  /** The one exception that stands of the uplink, as soon as it says this; undefined: none. */
  const told = (code: string | undefined, ...words: string[]): Promise<true> =>
    until(`${code ?? 'nothing'} ${words.join(' ')}`, () => {
      const [first, ...more] = agent.exceptions.filter(({ port }) => port === null);
      const isSo = first?.code === code && words.every((word) => first?.reason.includes(word) === true);
      return Promise.resolve(isSo && more.length === 0 ? true : undefined);
    });

  const arrives = async (): Promise<void> => {
    const before = (await outsider.receivedFrom(guest)).count;
    await guest.send({ to: outsider, count: 20, pps: 1_000 });
    await until('the frames', async () =>
      (await outsider.receivedFrom(guest)).count === before + 20 ? true : undefined,
    );
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    await device('link', 'add', 'br0', 'type', 'bridge');
    await device('link', 'set', 'up0', 'master', 'br0');
    await device('address', 'add', '192.0.2.1/24', 'dev', 'up0');
    const host = lab.host('a');
    agent = await LabAgent.start(host, [pnics(new HostDevices(host.netns), 'netdev')]);
    await agent.become([]);
    guest = await lab.addVm('a', { bridge: agent.bridge, ...numbered(1) });
    outsider = await lab.addOutsider({ name: 'outsider', mac: '02:00:00:00:00:77', ip: '10.0.0.77' });
    await agent.become([{ n: 1 }]);
  });

  afterAll(async () => {
    await agent?.close();
    await lab?.destroy();
  });

  it('is not plugged, with what it serves and what would be right, until it serves nothing else', async () => {
    await told('uplink-in-use', 'device up0', 'bridge br0', 'nomaster', '192.0.2.1/24');
    expect(await ports()).not.toContain('up0');
    await device('link', 'set', 'up0', 'nomaster');
    await told('uplink-in-use', 'device up0 is not plugged: it has the address 192.0.2.1/24');
    expect(await ports()).not.toContain('up0');
    await device('address', 'flush', 'dev', 'up0');
    await told(undefined);
    expect(await ports()).toContain('up0');
    await arrives();
  });

  it('stays plugged and goes on when it is given an address, and that is told until it is gone', async () => {
    await device('address', 'add', '192.0.2.2/24', 'dev', 'up0');
    await told('uplink-advice', '192.0.2.2/24');
    expect(await ports()).toContain('up0');
    await arrives();
    await device('address', 'flush', 'dev', 'up0');
    await told(undefined);
  });

  it('is told while it merges frames', async () => {
    await lab.host('a').exec('ethtool', '-K', 'up0', 'gro', 'on');
    await told('uplink-advice', 'GRO', 'ethtool -K up0 gro off');
    await lab.host('a').exec('ethtool', '-K', 'up0', 'gro', 'off');
    await told(undefined);
  });

  it('may have the address that IPv6 gives to every device', async () => {
    await lab.host('a').exec('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/up0/disable_ipv6');
    await until('the address', async () =>
      (await device('address', 'show', 'dev', 'up0')).includes('fe80::') ? true : undefined,
    );
    await device('address', 'add', '192.0.2.3/24', 'dev', 'up0');
    await told('uplink-advice', 'has the address 192.0.2.3/24, by');
    await device('-4', 'address', 'flush', 'dev', 'up0');
    await told(undefined);
  });
});

describe('a host without these tools', () => {
  it('is said to be one', async () => {
    const ended = await new Promise<string>((resolve) => {
      new HostDevices('no-such-namespace').watch(() => undefined, resolve);
    });
    expect(ended).toContain('no-such-namespace');
    await expect(new HostDevices('no-such-namespace').addresses()).rejects.toThrow('no-such-namespace');
  });
});
