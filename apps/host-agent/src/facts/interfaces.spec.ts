import { describe, expect, it } from '@jest/globals';
import { type ObservedInterface } from '#openflow';
import { interfaceEdges, interfaceFacts } from './interfaces.js';

const seen = (name: string, externalIds: Record<string, string>, bridge = 'pt-lan'): ObservedInterface => ({
  bridge,
  name,
  linkUp: true,
  externalIds,
  marks: {},
  type: '',
});
const GOOD = {
  'iface-id': 'if-1',
  'attached-mac': '02:00:00:00:00:01',
  'port-profile': 'web',
  'vm-id': 'vm',
};
const facts = (...interfaces: ObservedInterface[]) =>
  interfaceFacts(interfaces, (bridge) => (bridge === 'pt-lan' ? 'lan' : undefined));

describe('interfaces as facts', () => {
  it('are those with an iface-id on a switch of ours', () => {
    const found = facts(seen('tap1', GOOD), seen('eth0', {}), seen('tap2', GOOD, 'br-other'));
    expect(found).toEqual({
      facts: [
        { ifaceId: 'if-1', mac: '02:00:00:00:00:01', profile: 'web', owner: 'vm', kind: 'vm', switch: 'lan' },
      ],
      rejected: [],
    });
  });

  it.each([
    ['iface-id', 'two words'],
    ['iface-id', 'x'.repeat(5_000)],
    ['iface-id', ''],
    ['attached-mac', 'none'],
    ['attached-mac', 'ff:ff:ff:ff:ff:ff'],
    ['port-profile', '../etc'],
  ])('with %s %j are quarantined, and told cut short for the log to refuse', (key, value) => {
    const found = facts(seen('tap1', { ...GOOD, [key]: value }));
    expect(found.rejected).toMatchObject([{ name: 'tap1' }]);
    expect(found.rejected[0]?.problem.message).toContain(`tap1.external_ids:${key}`);
    expect(found.facts).toHaveLength(1);
    expect(JSON.stringify(found.facts).length).toBeLessThan(600);
  });

  it('without a MAC are quarantined', () => {
    const { 'attached-mac': _gone, ...rest } = GOOD;
    expect(facts(seen('tap1', rest)).rejected).toHaveLength(1);
  });

  it('that make sense are not hidden by one of the same id that does not', () => {
    const bad = seen('tap2', { ...GOOD, 'attached-mac': 'none' });
    for (const both of [
      [seen('tap1', GOOD), bad],
      [bad, seen('tap1', GOOD)],
    ])
      expect(facts(...both).facts).toMatchObject([{ mac: '02:00:00:00:00:01' }]);
  });

  it('differ by edges: come, gone, changed', () => {
    const [a] = facts(seen('tap1', GOOD)).facts;
    const [b] = facts(seen('tap2', { ...GOOD, 'iface-id': 'if-2' })).facts;
    if (a === undefined || b === undefined) throw new Error('no facts');
    expect(interfaceEdges([a], [a])).toEqual({ plugged: [], unplugged: [] });
    expect(interfaceEdges([a], [b])).toEqual({ plugged: [b], unplugged: ['if-1'] });
    const changed = { ...a, profile: 'db' };
    expect(interfaceEdges([a], [changed])).toEqual({ plugged: [changed], unplugged: [] });
  });
});
