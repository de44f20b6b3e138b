import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ipv6ToBigint } from '#kernel';
import { AgentHost, mac, settle } from '../agent.fixture.js';
import { addressText } from './address-text.js';
import { logs } from './log.js';

const rule = (name: string, log: object) => ({
  ...{ name, direction: 'in', action: 'allow', tier: 1, enabled: true, match: {} },
  log,
});

describe('frames that rules log', () => {
  let host: AgentHost;
  const lines = async () => (await host.agent.telemetry()).log;
  const become = (revision: number, log: object): Promise<void> =>
    host.become(revision, [
      { n: 1, override: { filter: { stateful: false, default: 'allow', rules: [rule('r', log)] } } as never },
      { n: 2 },
    ]);

  beforeEach(async () => {
    host = new AgentHost();
    host.services = [logs];
    await host.start();
    await become(1, { perSecond: 100, sample: 1 });
    for (const n of [1, 2]) await host.plug(n);
  });

  it('are told once, with what was matched, and go on their way', async () => {
    await host.send(1, mac(2));
    expect(host.received('tap2')).toBe(1);
    const told = await lines();
    expect(told).toMatchObject({
      more: 0,
      lines: [
        {
          ...{ switch: 'lan', port: 'p1', rule: 'r', direction: 'in', verdict: 'allow', vlan: 0 },
          ...{ srcMac: mac(1), dstMac: mac(2), etherType: 0x88b5 },
        },
      ],
    });
    expect(await lines()).toBeUndefined();
  });

  it('are one in so many where the rule says so', async () => {
    await become(2, { perSecond: 10, sample: 4 });
    await host.send(1, mac(2), 9);
    expect((await lines())?.lines).toHaveLength(3);
  });

  it('are bounded by the switch and by what is told at once', async () => {
    for (let i = 0; i < 6; i += 1) {
      host.clock.advance(1_000);
      await host.send(1, mac(2), 120);
    }
    await settle();
    const told = await lines();
    expect([told?.lines.length, told?.more]).toEqual([200, 400]);
    expect(host.received('tap2')).toBe(720);
  });
});

describe('an address', () => {
  it('is written as people write it', () => {
    expect(addressText(Uint8Array.of(10, 0, 0, 1))).toBe('10.0.0.1');
    expect(addressText(new Uint8Array(16))).toBe('::');
    expect(addressText(Uint8Array.of(0xfd, ...new Array<number>(14).fill(0), 1))).toBe('fd00::1');
  });

  it('is the same address when it is read again', () => {
    const octets = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(octets, (address) => {
        const value = address.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
        expect(ipv6ToBigint(addressText(Uint8Array.from(address)))).toBe(value);
      }),
    );
  });
});
