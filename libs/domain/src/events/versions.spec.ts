import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import { applying, group } from '../testing.js';
import { NO_FEATURES } from '../switch/spec.js';
import { fromStored, toStored, upcasters } from './versions.js';

const spec = applying(group('web')).resources[0]?.spec as object;

describe('stored events', () => {
  it('of GroupDefined v1 get their VLAN in the policy', () => {
    const read = (vlan: unknown) =>
      fromStored({ type: 'GroupDefined', v: 1, data: { name: 'web', spec: { ...spec, vlan } } });
    expect(unwrap(read(7))).toMatchObject({ spec: { policy: { vlan: { mode: 'access', id: 7 } } } });
    expect(unwrap(read(0))).toMatchObject({ spec: { policy: { vlan: { mode: 'none' } } } });
    expect(read(4095)).toMatchObject({ error: { details: [{ field: 'spec.policy.vlan.id' }] } });
    expect(read('x')).toMatchObject({ error: { details: [{ field: 'spec.vlan' }] } });
  });

  it('of StandbyGranted v1 lose their token, and nothing else; one of v2 has no place for it', () => {
    const data = fc.record({
      port: fc.nat().map((n) => `p${n + 1}`),
      standby: fc.record({
        host: fc.constantFrom('h1', 'bravo'),
        epoch: fc.integer({ min: 1 }),
        migration: fc.nat().map((n) => `m${n + 1}`),
      }),
    });
    const token = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(data, token, ({ port, standby }, bytes) => {
        const text = bytes.map((b) => b.toString(16).padStart(2, '0')).join(':');
        const told = { port, standby: { ...standby, token: text } };
        const event = unwrap(fromStored({ type: 'StandbyGranted', v: 1, data: told }));
        expect(event).toEqual({ type: 'StandbyGranted', port, standby });
        expect(toStored(event)).toEqual({ type: 'StandbyGranted', v: 2, data: { port, standby } });
        expect(fromStored({ type: 'StandbyGranted', v: 2, data: told })).toMatchObject({
          error: { details: [{ field: 'standby.token' }] },
        });
      }),
    );
  });

  it('of a list of rules and a teaming without a mode come to say what they meant', () => {
    const rule = { name: 'r', direction: 'in', action: 'drop', match: {} };
    const teaming = { active: ['uplink2'], standby: ['uplink1'] };
    const before = { filter: [rule], teaming };
    const now = {
      filter: { stateful: false, default: 'allow', rules: [{ ...rule, tier: 1, enabled: true }] },
      teaming: { ...teaming, mode: 'explicit', failback: true, notify: false, detection: 'link' },
    };
    const lan = { uplinks: ['uplink1', 'uplink2'], mtu: 1500, members: {} };
    const read = (type: string, v: number, data: object) => fromStored({ type, v, data });
    expect(unwrap(read('GroupDefined', 2, { name: 'web', spec: { ...spec, policy: before } }))).toMatchObject(
      { spec: { policy: now, autoShrink: false } },
    );
    expect(
      unwrap(
        read('SwitchDefined', 1, { name: 'lan', kind: 'distributed', spec: { ...lan, policy: before } }),
      ),
    ).toMatchObject({ spec: { policy: now, ...NO_FEATURES } });
    expect(unwrap(read('PortOverridden', 1, { port: 'p1', override: before }))).toMatchObject({
      override: now,
    });
    expect(unwrap(read('PortOverridden', 1, { port: 'p1', override: { blocked: true } }))).toMatchObject({
      override: { blocked: true },
    });
    const host = { labels: {}, managementPath: null, preload: [], maintenance: false };
    expect(unwrap(read('HostDefined', 1, { name: 'alpha', spec: host }))).toMatchObject({
      spec: { foreignFlows: 'report' },
    });
  });

  it('of an arrival before guests brought anything along say nothing of it', () => {
    const at = { port: 'p1', host: 'h1', epoch: 2, at: 5_000, realised: 4 };
    for (const [type, v, data] of [
      ['PortActivated', 1, { port: 'p1', host: 'h1', epoch: 2 }],
      ['PortActivated', 2, at],
      ['FirstFrameNoted', 1, { ...at, migration: 'm1' }],
    ] as const)
      expect(unwrap(fromStored({ type, v, data }))).toEqual({ type, ...data });
    const brought = { ...at, carried: 0 };
    expect(fromStored({ type: 'PortActivated', v: 3, data: brought })).toMatchObject({
      error: { details: [{ field: 'carried' }] },
    });
  });

  it('of an unknown type or a future version are refused', () => {
    const data = { name: 'web', spec };
    expect(fromStored({ type: 'GroupDefined', v: 4, data })).toMatchObject({
      error: { details: [{ field: 'v' }] },
    });
    expect(fromStored({ type: 'constructor', v: 1, data })).toMatchObject({
      error: { details: [{ field: 'type' }] },
    });
    expect(fromStored({ type: 'GroupDefined', v: 2, data: [] })).toMatchObject({ ok: false });
  });

  it('are upcast without throwing whatever they hold', () => {
    for (const { up } of upcasters)
      for (const junk of [
        null,
        1,
        [],
        {},
        { spec: 3 },
        { spec: [] },
        { standby: 3 },
        { standby: null },
        { override: [{ filter: [1] }] },
        { spec: { policy: { filter: [null], teaming: 3 } } },
      ])
        up(junk);
  });

  it('come back as they went', () => {
    const event = { type: 'GroupDefined' as const, name: 'web' as never, spec: spec as never };
    expect(toStored(event)).toMatchObject({ type: 'GroupDefined', v: 3 });
    expect(unwrap(fromStored(toStored(event)))).toEqual(event);
  });
});
