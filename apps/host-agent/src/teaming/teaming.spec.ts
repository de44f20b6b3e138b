import { describe, expect, it } from '@jest/globals';
import { type Teaming } from '#domain';
import { AgentHost, frame, mac, settle, type BindingSpec } from '../agent.fixture.js';
import { teamingView } from './teaming.fixture.js';

const RARP = 0x8035;

/** `h1` with two uplinks, and a group whose teaming says this. */
function world(teaming: Partial<Teaming>, vlan: object = { mode: 'access', id: 7 }) {
  const host = new AgentHost(['eth0', 'eth1']);
  const scene = { teaming, vlan, devices: ['eth0', 'eth1'] } as const;
  const documents = (revision: number, bindings: readonly BindingSpec[]) =>
    teamingView(revision, bindings, scene);
  /** RARPs since the last time: device, VLAN, MAC's last digit. */
  const told = (): string[] =>
    host.out.splice(0).flatMap(({ name, frame }) => {
      const view = new DataView(frame.buffer, frame.byteOffset);
      const tagged = view.getUint16(12) === 0x8100;
      if (view.getUint16(tagged ? 16 : 12) !== RARP) return [];
      return [`${name} ${tagged ? view.getUint16(14) : 0} ${frame[11]}`];
    });
  const become = async (revision: number, bindings: readonly BindingSpec[]): Promise<void> => {
    host.agent.documents(documents(revision, bindings));
    await settle();
  };
  const start = async (): Promise<void> => {
    await host.start();
    await become(1, []);
    for (const n of [1, 2]) await host.plug(n);
    await become(2, [{ n: 1 }, { n: 2 }]);
  };
  const link = async (device: string, up: boolean): Promise<void> => {
    host.switch.setLink(device, up);
    await settle();
  };
  return { host, told, start, become, link, documents };
}

const tagged = (untagged: Uint8Array, vlan: number): Uint8Array =>
  new Uint8Array([...untagged.slice(0, 12), 0x81, 0x00, vlan >> 8, vlan & 0xff, ...untagged.slice(12)]);

describe('switches outside', () => {
  it('are told of a port that comes, and thrice, as a frame may be lost', async () => {
    const { host, told, start } = world({});
    await start();
    expect(told()).toEqual(['eth0 7 1', 'eth0 7 2']);
    for (const ms of [200, 1_000]) {
      host.clock.advance(ms);
      await settle();
      expect(told()).toEqual(['eth0 7 1', 'eth0 7 2']);
    }
    host.clock.advance(60_000);
    await settle();
    expect(told()).toEqual([]);
  });

  it('are told where a port is when its uplink fails, and when it goes back', async () => {
    const { told, start, link } = world({});
    await start();
    told();
    await link('eth0', false);
    expect(told()).toEqual(['eth1 7 1', 'eth1 7 2']);
    await link('eth0', true);
    expect(told()).toEqual(['eth0 7 1', 'eth0 7 2']);
    await link('eth1', false);
    expect(told()).toEqual([]);
  });

  it('are told once in each VLAN of a trunk, only of the ports that moved', async () => {
    const { told, start, link } = world({ mode: 'port' }, { mode: 'trunk', ranges: [{ from: 10, to: 12 }] });
    await start();
    expect(told()).toEqual(
      [10, 11, 12].map((v) => `eth0 ${v} 1`).concat([10, 11, 12].map((v) => `eth1 ${v} 2`)),
    );
    await link('eth1', false);
    expect(told()).toEqual([10, 11, 12].map((v) => `eth0 ${v} 2`));
  });

  it('are told nothing where nobody wants it', async () => {
    const { host, told, start, link } = world({ notify: false });
    await start();
    await link('eth0', false);
    host.clock.advance(10_000);
    await settle();
    expect(told()).toEqual([]);
  });

  it('are told of a guest that was moved here, in each VLAN, whatever is wanted otherwise', async () => {
    const vlan = { mode: 'trunk', ranges: [{ from: 10, to: 12 }] };
    const { host, told, start, become } = world({ notify: false }, vlan);
    const awaited = (n: number) => ({ n, epoch: 2, role: 'standby', token: `07:00:00:00:00:0${n}` }) as const;
    await start();
    await become(3, [{ n: 1 }, { n: 2 }, awaited(3), awaited(4)]);
    for (const n of [3, 4]) await host.plug(n);
    expect(told()).toEqual([]);
    // One by its first frame, one by its hypervisor's word.
    host.switch.inject('tap3', tagged(frame(mac(3), mac(9)), 11));
    await settle();
    await become(4, [{ n: 1 }, { n: 2 }, awaited(3), { n: 4, epoch: 2 }]);
    expect(new Set(told())).toEqual(
      new Set([3, 4].flatMap((n) => [10, 11, 12].map((v) => `eth0 ${v} ${n}`))),
    );
    // And of one that stays although it had been switched already.
    const token = '07:00:00:00:00:01';
    await become(5, [{ n: 1, token }, { n: 2 }]);
    host.switch.inject('eth0', tagged(frame(mac(1), token), 10));
    await settle();
    expect(told()).toEqual([]);
    await become(6, [{ n: 1, epoch: 3 }, { n: 2 }]);
    expect(told()).toEqual([10, 11, 12].map((v) => `eth0 ${v} 1`));
  });

  it('hear after a restart of the agent of what moved meanwhile, and of nothing else', async () => {
    const { host, told, start, documents } = world({ mode: 'port' });
    await start();
    await host.agent.close();
    told();
    host.switch.setLink('eth1', false);
    await host.start(documents(2, [{ n: 1 }, { n: 2 }]));
    expect(told()).toEqual(['eth0 7 2']);
  });
});

describe('a port without failback', () => {
  const ways = (host: AgentHost, n: number): string => {
    host.out.length = 0;
    host.switch.inject(`tap${n}`, frameTo(n));
    return host.out.map((o) => o.name).join();
  };
  const frameTo = (n: number): Uint8Array => {
    const bytes = new Uint8Array(60);
    bytes.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, n, 0x88, 0xb5]);
    return bytes;
  };

  it('stays where it went, over a restart of the agent, until that fails', async () => {
    const { host, start, link, documents } = world({ failback: false, notify: false });
    await start();
    expect(ways(host, 1)).toBe('eth0');
    await link('eth0', false);
    await link('eth0', true);
    expect(ways(host, 1)).toBe('eth1');
    await host.agent.close();
    await host.start(documents(2, [{ n: 1 }, { n: 2 }]));
    expect(ways(host, 1)).toBe('eth1');
    await link('eth1', false);
    await link('eth1', true);
    expect(ways(host, 1)).toBe('eth0');
  });

  it('goes back at once where failback is wanted', async () => {
    const { host, start, link } = world({ failback: true, notify: false });
    await start();
    await link('eth0', false);
    expect(ways(host, 1)).toBe('eth1');
    await link('eth0', true);
    expect(ways(host, 1)).toBe('eth0');
  });
});
