import { describe, expect, it } from '@jest/globals';
import { parseGuest, parseMemory, parseSavedGuests, parseSimulation } from './simulation.js';

const GUEST = {
  owner: 'web-1',
  ifaceId: 'web-1-eth0',
  mac: '02:00:00:00:00:01',
  profile: 'web',
  switch: 'lan',
  pps: 10,
};
const fieldOf = (result: ReturnType<typeof parseSimulation> | ReturnType<typeof parseGuest>): unknown =>
  result.ok ? null : result.error.details[0]?.field;

describe('a simulation file', () => {
  it('may be empty, or have everything', () => {
    expect(parseSimulation({})).toMatchObject({ ok: true, value: { uplinks: [], fabric: null, guests: [] } });
    const whole = parseSimulation({
      uplinks: ['eth1'],
      fabric: { listen: '127.0.0.1:7001', peers: [{ host: 'b', address: '127.0.0.1:7002' }] },
      migration: { listen: '127.0.0.1:7003', peers: { b: '127.0.0.1:7004' }, copyMs: 5 },
      guests: [{ ...GUEST, peer: '02:00:00:00:00:02', limit: 9, waits: true }],
    });
    expect(whole).toMatchObject({
      ok: true,
      value: {
        migration: { listen: { host: '127.0.0.1', port: 7003 } },
        guests: [{ limit: 9, waits: true }],
      },
    });
  });

  it.each([
    [null, 'simulation'],
    [{ uplinks: 'eth1' }, 'uplinks'],
    [{ uplinks: ['a name that is too long'] }, 'uplinks'],
    [{ fabric: { listen: '10.0.0.1:7001', peers: [] } }, 'fabric.listen'],
    [{ migration: { listen: '127.0.0.1:1', peers: { b: 'b:1' } } }, 'migration.peers.b'],
    [{ migration: { listen: '127.0.0.1:1', copyMs: -1 } }, 'migration.copyMs'],
    [{ guests: {} }, 'guests'],
    [{ guests: [GUEST, { ...GUEST, mac: 'ff:ff:ff:ff:ff:ff' }] }, 'guests[1].mac'],
  ])('%j is refused at %s', (value, field) => {
    expect(fieldOf(parseSimulation(value))).toBe(field);
  });

  it.each([
    ['owner', '../x'],
    ['ifaceId', 'a b'],
    ['profile', ''],
    ['switch', 7],
    ['peer', 'me'],
    ['pps', -1],
    ['pps', Number.NaN],
    ['limit', 1.5],
    ['waits', 'yes'],
  ])('a guest with %s %j is refused', (key, value) => {
    expect(fieldOf(parseGuest({ ...GUEST, [key]: value }, 'guest'))).toBe(`guest.${key}`);
  });
});

describe('what was saved of guests', () => {
  it('is taken whole or not at all', () => {
    const saved = { spec: GUEST, memory: { sent: 2, number: 1, received: 0 } };
    expect(parseSavedGuests([saved])).toEqual({ ok: true, value: [saved] });
    for (const bad of [{}, [{ ...saved, memory: { sent: -1, number: 0, received: 0 } }], [7]])
      expect(parseSavedGuests(bad).ok).toBe(false);
    expect(parseMemory({ sent: 1 }).ok).toBe(false);
  });
});
