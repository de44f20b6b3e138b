import { describe, expect, it } from '@jest/globals';
import { uplinkFacts, uplinksTold } from './uplinks.js';

const uplink = (name: string, up: boolean) => ({ switch: 'prod', uplink: name, device: `eth-${name}`, up });

describe('uplinkFacts', () => {
  it('tells every uplink at first, then those that changed', () => {
    const first = [uplink('uplink1', true), uplink('uplink2', false)];
    expect(uplinkFacts(new Map(), first)).toEqual([
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: true },
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink2', up: false },
    ]);
    const told = uplinksTold(new Map(), first);
    expect(uplinkFacts(told, first)).toEqual([]);
    expect(uplinkFacts(told, [uplink('uplink1', false), uplink('uplink2', false)])).toEqual([
      { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: false },
    ]);
  });

  it('tells a speed when it is another, and keeps the one of a device that is silent', () => {
    const fast = { ...uplink('uplink1', true), speed: 1e10 };
    const fact = { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: true };
    expect(uplinkFacts(new Map(), [fast])).toEqual([{ ...fact, speed: 1e10 }]);
    const told = uplinksTold(new Map(), [fast]);
    expect(uplinkFacts(told, [fast])).toEqual([]);
    expect(uplinkFacts(told, [{ ...fast, speed: 1e9 }])).toEqual([{ ...fact, speed: 1e9 }]);
    const silent = [uplink('uplink1', false)];
    expect(uplinkFacts(told, silent)).toEqual([{ ...fact, up: false }]);
    expect(uplinkFacts(uplinksTold(told, silent), [fast])).toEqual([{ ...fact, speed: 1e10 }]);
  });
});
