import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, until, type LabVm } from './net.js';

/** The fixture itself, with plain learning bridges: later suites stand on what is shown here. */
describe('lab', () => {
  let lab: Lab;
  let web: LabVm;
  let db: LabVm;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    for (const host of ['a', 'b']) {
      await lab.vsctl(host, 'add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'datapath_type=netdev');
      await lab.vsctl(host, 'add-port', 'br0', 'up0');
    }
    const bridge = 'br0';
    web = await lab.addVm('a', {
      bridge,
      name: 'web',
      mac: '02:00:00:00:00:01',
      ip: '10.0.0.1',
      ifaceId: 'web-1',
    });
    db = await lab.addVm('b', {
      bridge,
      name: 'db',
      mac: '02:00:00:00:00:02',
      ip: '10.0.0.2',
      profile: 'data',
    });
  });

  afterAll(async () => {
    await lab?.destroy();
  });

  it('carries numbered frames between hosts, tags too', async () => {
    expect(await web.send({ to: db, count: 500, pps: 1_000 })).toEqual({ sent: 500, next: 500 });
    const got = await until('500 frames', async () => {
      const seen = await db.receivedFrom(web);
      return seen.unique === 500 ? seen : undefined;
    });
    expect(got).toMatchObject({ count: 500, duplicates: 0, first: 0, last: 499, missing: [], vlans: [null] });
    await web.send({ to: 'broadcast', count: 1, pps: 100, vlan: 7 });
    await until('the broadcast', async () =>
      (await db.receivedFrom(web, 'broadcast')).vlans.includes(7) ? true : undefined,
    );
  });

  it('marks interfaces as a hypervisor does', async () => {
    const [a, b] = [web.pluggedAt[0]?.outside ?? '', db.pluggedAt[0]?.outside ?? ''];
    expect(await lab.vsctl('a', 'get', 'Interface', a, 'external_ids:iface-id')).toBe('web-1\n');
    expect(await lab.vsctl('a', 'get', 'Interface', a, 'external_ids:attached-mac')).toBe(
      '"02:00:00:00:00:01"\n',
    );
    expect(await lab.vsctl('b', 'get', 'Interface', b, 'external_ids:port-profile')).toBe('data\n');
  });

  it('moves a guest that sends, and hears outsiders', async () => {
    const far = await lab.addOutsider({ name: 'far', mac: '02:00:00:00:00:99', ip: '10.0.0.99' });
    const sending = web.send({ to: far, pps: 500 });
    await until('traffic', async () => ((await far.receivedFrom(web)).count > 20 ? true : undefined));
    let pluggedAt: readonly string[] = [];
    await web.moveTo('b', {
      beforeUnplug: async () => {
        pluggedAt = web.pluggedAt.map((plug) => plug.host.name);
        const before = (await far.receivedFrom(web)).count;
        await until('traffic again', async () =>
          (await far.receivedFrom(web)).count > before + 20 ? true : undefined,
        );
      },
    });
    expect(pluggedAt).toEqual(['a', 'b']);
    expect(web.pluggedAt.map((plug) => plug.host.name)).toEqual(['b']);
    await web.stopSending();
    const { sent } = await sending;
    const got = await until('the last frame', async () => {
      const seen = await far.receivedFrom(web);
      return seen.last === sent - 1 ? seen : undefined;
    });
    expect(got.duplicates).toBe(0);
    const rarps = (await far.received()).recent.filter(({ hex }) => hex.slice(24, 28) === '8035');
    expect(rarps).toHaveLength(1);
  });

  it('gives the kernel an address when asked, for real sockets', async () => {
    const [one, two] = ['02:00:00:00:01:01', '02:00:00:00:01:02'];
    const common = { bridge: 'br0', kernelIp: true };
    const left = await lab.addVm('a', { ...common, name: 'left', mac: one, ip: '10.0.7.1' });
    const right = await lab.addVm('b', { ...common, name: 'right', mac: two, ip: '10.0.7.2' });
    const serve = 'import socket; s = socket.create_server(("", 9000)); s.accept()[0].sendall(b"hello")';
    const ask = 'import socket; print(socket.create_connection(("10.0.7.2", 9000), 30).recv(5).decode())';
    const served = right.exec('python3', '-c', serve);
    expect(await until('an answer', () => left.exec('python3', '-c', ask))).toBe('hello\n');
    await served;
  });

  it('kills and restarts a switch', async () => {
    await lab.host('a').restartVswitchd();
    // It answers before it has made its bridges anew.
    expect(await until('its bridge', () => lab.ofctl('a', 'show', 'br0'))).toContain('up0');
  });
});
