import { describe, expect, it } from '@jest/globals';
import { type PolicyPatch } from '#domain';
import { defaultPolicy, fullPolicy, NO_FEATURES } from '#domain/on-host';
import { compile } from '../compile.js';
import { desiredOf, factsOf, groupDoc, switchDoc } from '../documents.fixture.js';
import { unsupported } from './unsupported.js';

const team = { active: ['uplink1'], standby: [] };

/** What a host of this version does not do; each package that does it takes its lines out. */
const NOT_DONE: readonly (readonly [string, object])[] = [
  ['beacons', { teaming: { ...team, mode: 'ip-hash', failback: true, notify: false, detection: 'beacon' } }],
  ['shares other than 50', { bandwidth: { shares: 100, limit: 1e6, reservation: 0, class: 'vm' } }],
];

const FAIR = { shares: 50, limit: 1e9, reservation: 1e6 };

describe('what policy can say and this host does not do', () => {
  it('is nothing of what holds where nobody said anything', () => {
    expect(unsupported(defaultPolicy(['uplink1']))).toBeNull();
  });

  it.each(NOT_DONE)('is refused with the reason, and its port is closed: %s', (why, patch) => {
    const policy = fullPolicy(patch) as PolicyPatch;
    const desired = desiredOf({ groups: [groupDoc('web', policy)], ports: [{ n: 1 }] });
    const { exceptions, bindings } = compile(desired, factsOf(desired));
    expect(exceptions).toEqual([
      { port: 'p1', object: 'port/p1', code: 'not-enforceable', reason: expect.stringContaining(why) },
    ]);
    expect(bindings[0]?.open).toBe(false);
  });

  it('is told of a switch by field, and its ports stand', () => {
    const bandwidth = { classes: { vm: FAIR, storage: { ...FAIR, shares: 100 } }, reservable: 75 };
    const docs = [{ ...switchDoc(), ...NO_FEATURES, bandwidth }];
    const desired = desiredOf({ docs, ports: [{ n: 1 }] });
    const { exceptions, bindings } = compile(desired, factsOf(desired));
    expect(exceptions.map((e) => [e.port, e.code, e.reason.split(':')[0]])).toEqual([
      [null, 'not-enforceable', 'bandwidth.classes.storage'],
    ]);
    expect(bindings[0]?.open).toBe(true);
  });
});
