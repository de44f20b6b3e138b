import { describe, expect, it } from '@jest/globals';
import { uplinkFacts, uplinkKey } from './uplinks.js';

const uplink = (name: string, up: boolean) => ({ switch: 'prod', uplink: name, device: `eth-${name}`, up });

describe('uplinkFacts', () => {
  it('tells every uplink at first, then those that changed', () => {
    const first = [uplink('uplink1', true), uplink('uplink2', false)];
    expect(uplinkFacts(new Map(), first)).toEqual([
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: true },
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink2', up: false },
    ]);
    const told = new Map(first.map((u) => [uplinkKey(u), u.up]));
    expect(uplinkFacts(told, first)).toEqual([]);
    expect(uplinkFacts(told, [uplink('uplink1', false), uplink('uplink2', false)])).toEqual([
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: false },
    ]);
  });
});
