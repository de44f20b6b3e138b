import { describe, expect, it } from '@jest/globals';
import { figuresOf, uplinkFacts, uplinksTold } from './uplinks.js';

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

  it.each([
    ['speed', 1e10, 1e9],
    ['mtu', 9_000, 1_500],
  ])(
    'tells a %s when it is another, and keeps the one of a device that is silent',
    (figure, much, little) => {
      const seen = { ...uplink('uplink1', true), [figure]: much };
      const fact = { type: 'UplinkState', switch: 'prod', uplink: 'uplink1', up: true };
      expect(uplinkFacts(new Map(), [seen])).toEqual([{ ...fact, [figure]: much }]);
      const told = uplinksTold(new Map(), [seen]);
      expect(uplinkFacts(told, [seen])).toEqual([]);
      expect(uplinkFacts(told, [{ ...seen, [figure]: little }])).toEqual([{ ...fact, [figure]: little }]);
      const silent = [uplink('uplink1', false)];
      expect(uplinkFacts(told, silent)).toEqual([{ ...fact, up: false }]);
      expect(uplinkFacts(uplinksTold(told, silent), [seen])).toEqual([{ ...fact, [figure]: much }]);
    },
  );

  it('takes no figure for one that is none', () => {
    const device = { bridge: 'b', name: 'eth0', linkUp: true, externalIds: {}, marks: {}, type: '' };
    expect(figuresOf({ ...device, linkSpeed: 0, mtu: 0 })).toEqual({});
    expect(figuresOf({ ...device, linkSpeed: 1e9, mtu: 1_500 })).toEqual({ speed: 1e9, mtu: 1_500 });
    expect(figuresOf(undefined)).toEqual({});
  });
});
