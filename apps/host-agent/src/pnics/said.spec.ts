import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceIn, devicesIn, mergingIn } from './said.js';

const said = (...rows: object[]) => {
  const devices = devicesIn(JSON.stringify(rows));
  return devices.ok ? Object.fromEntries(devices.value) : devices.error.message;
};

describe('a line of ip monitor', () => {
  it.each([
    ['3: v0@v1: <BROADCAST,MULTICAST> mtu 1500 master br0 state UP \\    link/ether 02:00:00:00:00:01', 'v0'],
    ['Deleted 3: eth0    inet 10.1.1.1/24 scope global eth0\\       valid_lft forever', 'eth0'],
    ['12: eth0.100@eth0: <UP> mtu 1500', 'eth0.100'],
    ['4: br-ex: <BROADCAST,MULTICAST> mtu 1500 qdisc noop', 'br-ex'],
    ['netlink receive error No buffer space available (105)', undefined],
    ['', undefined],
    ['3:', undefined],
  ])('is about its device: %s', (line, device) => {
    expect(deviceIn(line)).toBe(device);
  });
});

describe('what ip says of devices', () => {
  it('is who they belong to and how they are addressed, but for what IPv6 gives to all', () => {
    const link = { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' };
    const global = { family: 'inet6', local: 'fd00::1', prefixlen: 64, scope: 'global' };
    const own = { family: 'inet', local: '169.254.0.1', prefixlen: 16, scope: 'link' };
    expect(
      said(
        { ifname: 'eth0', addr_info: [link] },
        { ifname: 'eth1', addr_info: [link, global, own] },
        { ifname: 'eth2', master: 'br0', linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' } },
        { ifname: 'eth3', master: 'ovs-system', linkinfo: { info_slave_kind: 'openvswitch' } },
        { ifname: 'eth4', master: 'x' },
      ),
    ).toEqual({
      eth0: { addresses: [] },
      eth1: { addresses: ['fd00::1/64', '169.254.0.1/16'] },
      eth2: { addresses: [], master: { name: 'br0', kind: 'bridge' } },
      eth3: { addresses: [] },
      eth4: { addresses: [], master: { name: 'x', kind: 'device' } },
    });
  });

  it('steers no terminal', () => {
    expect(said({ ifname: 'eth0', master: '\u001b[2J' })).toMatchObject({
      eth0: { master: { name: '�[2J' } },
    });
  });

  it.each(['', '{}', 'Device "x" does not exist.', 'null', '[{"ifname":"eth0"'])('is refused: %j', (text) => {
    expect(devicesIn(text)).toMatchObject({ ok: false });
  });

  it('is refused or understood whatever comes, and never throws', () => {
    const key = fc.constantFrom(
      'ifname',
      'master',
      'linkinfo',
      'info_slave_kind',
      'addr_info',
      'local',
      'family',
    );
    const near = fc.array(fc.dictionary(key, fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.oneof(
          near.map((v) => JSON.stringify(v)),
          fc.json(),
          fc.string(),
        ),
        (text) => {
          deviceIn(text);
          mergingIn(text);
          const devices = devicesIn(text);
          if (!devices.ok) return;
          for (const { addresses, master } of devices.value.values()) {
            for (const address of addresses) expect(typeof address).toBe('string');
            if (master !== undefined)
              expect([typeof master.name, typeof master.kind]).toEqual(['string', 'string']);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what ethtool says', () => {
  it('is what is merged now', () => {
    const features = 'Features for eth0:\nrx-checksumming: on\ngeneric-receive-offload: on\n';
    expect(mergingIn(`${features}large-receive-offload: off [fixed]\n`)).toEqual({ gro: true });
    expect(mergingIn('large-receive-offload: on [requested off]\nrx-gro-hw: on\n')).toEqual({ lro: true });
    expect(mergingIn('')).toEqual({});
  });
});
