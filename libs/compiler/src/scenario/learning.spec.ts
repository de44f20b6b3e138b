import { describe, expect, it } from '@jest/globals';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
import { BROADCAST_MAC, frame } from './frames.fixture.js';
import { ManualClock, TestHost } from './world.fixture.js';

const NESTED = mac(61);
const macLearning = { limit: 4, atLimit: 'drop', ageSeconds: 300, floodUnknown: false };
const by = (...active: string[]): HostSpec => ({
  switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
  docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
  groups: [groupDoc('web', { vlan: { mode: 'access', id: 100 }, teaming: { active, standby: [] } } as never)],
  ports: [{ n: 1, override: { macLearning } as never }, { n: 2 }],
});

describe('a MAC that was learned', () => {
  it('has moved when it comes by the uplink that carries its port now, whichever did when it was learned', async () => {
    const a = new TestHost('h1', new ManualClock());
    await a.become(by('uplink1', 'uplink2'));
    a.send(1, frame({ to: BROADCAST_MAC, from: NESTED }));
    a.send(2, frame({ to: NESTED, from: mac(2) }));
    expect([a.got(2).length, a.got(1).length]).toEqual([1, 1]);
    await a.become(by('uplink2', 'uplink1'));
    a.forget();
    a.switch.inject('eth1', frame({ to: BROADCAST_MAC, from: NESTED, vlan: 100 }));
    a.send(2, frame({ to: NESTED, from: mac(2) }));
    expect([a.got(2).length, a.got(1).length, a.wire('eth1').length]).toEqual([1, 1, 1]);
  });

  it('has not where its frame comes back by another uplink', async () => {
    const a = new TestHost('h1', new ManualClock());
    await a.become(by('uplink1', 'uplink2'));
    await a.become(by('uplink2', 'uplink1'));
    a.send(1, frame({ to: BROADCAST_MAC, from: NESTED }));
    a.switch.inject('eth0', frame({ to: BROADCAST_MAC, from: NESTED, vlan: 100 }));
    a.forget();
    a.send(2, frame({ to: NESTED, from: mac(2) }));
    expect([a.got(1).length, a.wire('eth1').length]).toEqual([1, 0]);
  });
});
