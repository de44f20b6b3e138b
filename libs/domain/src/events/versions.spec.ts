import { describe, expect, it } from '@jest/globals';
import { unwrap } from '#kernel';
import { applying, group } from '../testing.js';
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

  it('of an unknown type or a future version are refused', () => {
    const data = { name: 'web', spec };
    expect(fromStored({ type: 'GroupDefined', v: 3, data })).toMatchObject({
      error: { details: [{ field: 'v' }] },
    });
    expect(fromStored({ type: 'constructor', v: 1, data })).toMatchObject({
      error: { details: [{ field: 'type' }] },
    });
    expect(fromStored({ type: 'GroupDefined', v: 2, data: [] })).toMatchObject({ ok: false });
  });

  it('are upcast without throwing whatever they hold', () => {
    for (const { up } of upcasters) for (const junk of [null, 1, [], {}, { spec: 3 }, { spec: [] }]) up(junk);
  });

  it('come back as they went', () => {
    const event = { type: 'GroupDefined' as const, name: 'web' as never, spec: spec as never };
    expect(toStored(event)).toMatchObject({ type: 'GroupDefined', v: 2 });
    expect(unwrap(fromStored(toStored(event)))).toEqual(event);
  });
});
