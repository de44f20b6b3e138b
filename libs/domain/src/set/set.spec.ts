import { describe, expect, it } from '@jest/globals';
import { type PortId, type SetName } from '#kernel';
import { type PortSet } from '../model/state.js';
import { applying, group, MAC_A, MAC_B, plug, threeHosts, types, type World } from '../testing.js';
import { membersOf } from './members.js';

const addresses = (name: string, ...list: string[]) => ({
  kind: 'AddressSet',
  name,
  spec: { addresses: list },
});
const ports = (name: string, spec: object) => ({ kind: 'PortSet', name, spec });
const naming = (set: string, side = 'srcSet') =>
  group('web', { policy: { filter: [{ name: 'r', action: 'drop', match: { [side]: set } }] } });
const setOf = (w: World, name: string) => w.state.sets.get(name as SetName) as PortSet;

describe('sets', () => {
  it('are defined before what names them, in one file of any order', () => {
    const w = threeHosts();
    expect(types(w.apply(naming('bad'), addresses('bad', '10.0.0.1', '2001:DB8::/32')))).toEqual([
      'AddressSetDefined',
      'GroupDefined',
    ]);
    expect(w.apply(addresses('bad', '10.0.0.1', '2001:db8::/32'))).toEqual([]);
    expect(types(w.apply(addresses('bad', '10.0.0.2')))).toEqual(['AddressSetDefined']);
  });

  it('are refused where their members are none, or listed twice', () => {
    const w = threeHosts();
    const twice = w.refused({
      type: 'Apply',
      resources: [
        { kind: 'AddressSet', name: 's', spec: { addresses: ['10.0.0.1', '10.0.0.1/32'] } } as never,
      ],
    });
    expect(twice.message).toContain('is listed before, as 10.0.0.1');
    expect(() => applying(addresses('s', '10.0.0.1/8'))).toThrow('bits set after the prefix');
    const unknown = w.refused(applying(ports('s', { groups: ['none'], ports: ['p99'], owners: ['any'] })));
    expect(unknown.details.map((d) => d.field)).toEqual([
      'resources[0](PortSet s).spec.groups[0]',
      'resources[0](PortSet s).spec.ports[0]',
    ]);
  });

  it('must be known to the rules that name them, and stay while they are named', () => {
    const w = threeHosts();
    expect(w.refused(applying(naming('bad')))).toMatchObject({
      code: 'refused',
      details: [
        { field: 'resources[0](PortGroup web).spec.policy.filter.rules[0].match.srcSet', value: '"bad"' },
      ],
    });
    w.apply(addresses('bad'), naming('bad', 'dstSet'));
    const remove = { type: 'Delete', kind: 'AddressSet', name: 'bad' } as const;
    expect(w.refused(remove).message).toContain('is named by rules of group web');
    expect(w.refused({ ...remove, kind: 'PortSet' }).code).toBe('not-found');
    w.apply(group('web'));
    expect(types(w.do(remove))).toEqual(['SetRemoved']);
  });

  it('keep their kind, and a group in one is not deleted', () => {
    const w = threeHosts();
    w.apply(ports('s', { groups: ['web'] }));
    expect(w.refused(applying(addresses('s', '10.0.0.1'))).message).toContain('which is a set of ports');
    expect(w.refused({ type: 'Delete', kind: 'PortGroup', name: 'web' }).message).toContain(
      'is a member of the sets s',
    );
    expect(w.refused(applying(addresses('x'), ports('x', {}))).message).toContain('is defined before');
  });

  it('are at most as many in one filter as a host can tell apart', () => {
    const w = threeHosts();
    const many = Array.from({ length: 33 }, (_, i) => `s${i}`);
    const rules = many.map((name) => ({ name, action: 'drop', match: { srcSet: name } }));
    const file = [...many.map((name) => addresses(name)), group('web', { policy: { filter: rules } })];
    expect(w.refused(applying(...file)).message).toContain('names 33 address sets');
  });
});

describe('members of a set of ports', () => {
  it('are connected ports of its groups and owners and its own, by switch and VLAN', () => {
    const w = threeHosts({ policy: { vlan: { mode: 'access', id: 7 } }, overridable: ['vlan'] });
    w.apply(
      ports('s', { groups: ['web'] }),
      ports('vm', { owners: ['vm2'] }),
      ports('one', { ports: ['p1'] }),
    );
    expect(membersOf(w.state, setOf(w, 's'))).toEqual([]);
    w.facts('h1', plug('if-1', MAC_A), plug('if-2', MAC_B, { owner: 'vm2' }));
    const vlan = { mode: 'access', id: 7 };
    expect(membersOf(w.state, setOf(w, 's'))).toEqual([{ switch: 'lan', vlan, macs: [MAC_A, MAC_B] }]);
    expect(membersOf(w.state, setOf(w, 'vm'))).toEqual([{ switch: 'lan', vlan, macs: [MAC_B] }]);
    const trunk = { mode: 'trunk', ranges: [{ from: 1, to: 9 }] };
    w.do({ type: 'SetPort', port: 'p1' as PortId, override: { vlan: trunk as never } });
    expect(membersOf(w.state, setOf(w, 'one'))).toEqual([{ switch: 'lan', vlan: trunk, macs: [MAC_A] }]);
    expect(membersOf(w.state, setOf(w, 's'))).toHaveLength(2);
  });
});
