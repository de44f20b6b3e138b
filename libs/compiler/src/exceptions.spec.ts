import { describe, expect, it } from '@jest/globals';
import { bridgeName } from './bridge-name.js';
import { faults } from './check.fixture.js';
import { compile } from './compile.js';
import {
  desiredOf,
  factsOf,
  groupDoc,
  iface,
  mac,
  switchDoc,
  type HostSpec,
  type PortSpec,
} from './documents.fixture.js';
import { TABLES } from './pipeline/tables.js';
import { type LocalFacts } from './types.js';

const plug = (n: number, more: { name?: string; bridge?: string; mac?: string; ofport?: number } = {}) =>
  iface(more.bridge ?? 'pt-lan', more.name ?? `tap${n}`, more.ofport ?? n, {
    'iface-id': `if-${n}`,
    'attached-mac': more.mac ?? mac(n),
  });
const UPLINK = iface('pt-lan', 'eth0', 100);
const rule = { name: 'r', direction: 'in', action: 'drop' };

/** Port 1 is the one at fault, port 2 must go on in every case. */
interface Case {
  readonly what: string;
  readonly code: string;
  readonly port?: Partial<PortSpec>;
  readonly host?: Partial<HostSpec>;
  readonly local?: Partial<LocalFacts>;
}

const CASES: readonly Case[] = [
  { what: 'its group is not held', code: 'group-missing', port: { group: 'other' } },
  { what: 'its group is too old', code: 'group-stale', port: { minRevision: 6 } },
  { what: 'the host is no member of its switch', code: 'not-a-member', port: { switch: 'wan' } },
  { what: 'a standby has no token', code: 'token-missing', port: { role: 'standby' } },
  {
    what: 'two interfaces bear its iface-id',
    code: 'iface-duplicate',
    local: { interfaces: [UPLINK, plug(1), plug(1, { name: 'tapx', ofport: 9 }), plug(2)] },
  },
  {
    what: 'its interface bears another MAC',
    code: 'mac-mismatch',
    local: { interfaces: [UPLINK, plug(1, { mac: mac(7) }), plug(2)] },
  },
  {
    what: 'its interface bears garbage as MAC',
    code: 'mac-mismatch',
    local: { interfaces: [UPLINK, plug(1, { mac: '\u0000' }), plug(2)] },
  },
  {
    what: 'it is plugged into another bridge',
    code: 'iface-wrong-bridge',
    local: { interfaces: [UPLINK, plug(1, { bridge: 'br-int' }), plug(2)] },
  },
  { what: 'no slot is left', code: 'slot-missing', local: { slots: { 'p2@1': 2 } } },
  {
    what: 'its rule has a bad prefix',
    code: 'filter-invalid',
    port: { override: { filter: [{ ...rule, match: { src: '10.0.0.0/33' } }] } as never },
  },
  {
    what: 'its rules need too many flows',
    code: 'filter-too-large',
    port: {
      override: {
        filter: [
          {
            ...rule,
            match: { ipProtocol: 6, srcPort: { from: 1, to: 65534 }, dstPort: { from: 1, to: 65534 } },
          },
          ...new Array(3).fill({
            ...rule,
            match: { ipProtocol: 6, srcPort: { from: 1, to: 65534 }, dstPort: { from: 1, to: 65534 } },
          }),
        ],
      } as never,
    },
  },
];

describe('what can not be carried out', () => {
  it.each(CASES)('closes the port when $what, and nothing else', ({ code, port, host, local }) => {
    const desired = desiredOf({ ...host, ports: [{ n: 1, ...port }, { n: 2 }] });
    const { state, exceptions, bindings } = compile(desired, factsOf(desired, local));
    expect(exceptions).toEqual([{ port: 'p1', object: 'port/p1', code, reason: expect.any(String) }]);
    const [bridge] = state.bridges;
    expect(bridge === undefined ? ['no bridge'] : faults(bridge)).toEqual([]);
    expect(bindings.filter((b) => b.open).map((b) => b.port)).toEqual(['p2']);
    const slot = bindings.find((b) => b.port === 'p1')?.slot;
    const outputs = bridge?.flows.filter(
      (f) => f.table === TABLES.OUTPUT && f.match.reg15?.value === BigInt(slot ?? 0),
    );
    expect(outputs).toEqual([]);
  });

  it('keeps the count meters of a port that it closes', () => {
    const desired = desiredOf({ ports: [{ n: 1, minRevision: 9 }] });
    const { state, bindings } = compile(desired, factsOf(desired));
    expect(state.bridges[0]?.meters.length).toBe(8);
    expect(bindings[0]?.meters.in.unicast).toBeGreaterThan(0);
  });

  it('closes the ports of a switch whose uplink the switch could not open, and says why', () => {
    const desired = desiredOf({ ports: [{ n: 1 }] });
    const interfaces = [{ ...iface('pt-lan', 'eth0', -1), error: 'No such device' }, plug(1)];
    const { exceptions, bindings } = compile(desired, factsOf(desired, { interfaces }));
    expect(exceptions.map((e) => [e.port, e.code])).toEqual([
      ['p1', 'uplink-missing'],
      [null, 'uplink-missing'],
    ]);
    expect(exceptions[1]?.reason).toContain('No such device');
    expect(bindings[0]?.open).toBe(false);
  });

  const dead = { ...plug(1, { ofport: -1 }), error: 'could not open network device tap1 (No such device)' };

  it('goes by the interface that is there, where a guest that came back left another without its device', () => {
    const desired = desiredOf({ ports: [{ n: 1 }] });
    const interfaces = [UPLINK, dead, plug(1, { name: 'tapx', ofport: 9 })];
    const { exceptions, bindings } = compile(desired, factsOf(desired, { interfaces }));
    expect(exceptions).toEqual([]);
    expect(bindings[0]).toMatchObject({ open: true, ifaceName: 'tapx', ofport: 9 });
  });

  it('is no fault of a standby that its guest left an interface here, and one of a port that has no other', () => {
    const interfaces = [UPLINK, dead];
    const at = (port: Partial<PortSpec>) => {
      const desired = desiredOf({ ports: [{ n: 1, ...port }] });
      return compile(desired, factsOf(desired, { interfaces })).exceptions.map((e) => e.code);
    };
    expect(at({ role: 'standby', token: '83:00:00:00:00:01' })).toEqual([]);
    expect(at({})).toEqual(['iface-failed']);
  });

  it('says nothing of a port that is not plugged: it is just not open', () => {
    const desired = desiredOf({ ports: [{ n: 1 }] });
    const { exceptions, bindings } = compile(desired, factsOf(desired, { interfaces: [UPLINK] }));
    expect(exceptions).toEqual([]);
    expect(bindings[0]).toMatchObject({ ready: true, open: false });
  });

  it('keeps the older of two ports with one MAC in one segment', () => {
    const desired = desiredOf({ ports: [{ n: 10, mac: mac(2) }, { n: 2 }] });
    const { exceptions, bindings } = compile(desired, factsOf(desired));
    expect(exceptions.map((e) => [e.port, e.code])).toEqual([['p10', 'mac-conflict']]);
    expect(bindings.filter((b) => b.open).map((b) => b.port)).toEqual(['p2']);
  });

  it('keeps the bridge and its meters when the switch document is missing', () => {
    const desired = desiredOf({ docs: [], ports: [{ n: 1 }] });
    const { state, exceptions } = compile(desired, factsOf(desired));
    expect(exceptions.map((e) => e.code)).toEqual(['switch-missing', 'switch-missing']);
    expect(state.bridges[0]?.ports.map((p) => p.name)).toEqual(['eth0', 'tap1']);
  });

  it('gives a device to one switch only', () => {
    const desired = desiredOf({
      switches: { lan: { uplink1: 'eth0' }, wan: { uplink1: 'eth0' } },
      docs: [switchDoc(), switchDoc('wan')],
      ports: [{ n: 1 }],
    });
    const { exceptions } = compile(desired, factsOf(desired, { interfaces: [UPLINK, plug(1)] }));
    expect(exceptions.map((e) => [e.object, e.code])).toEqual([['switch/wan', 'device-shared']]);
  });

  it('quarantines what belongs to no known port', () => {
    const desired = desiredOf({ ports: [{ n: 1 }] });
    const strangers = [plug(8), iface('pt-lan', 'veth9', 9), iface('br-else', 'x', 3)];
    const own = iface('pt-lan', 'pt-lan', 65534);
    const { quarantined } = compile(
      desired,
      factsOf(desired, { interfaces: [UPLINK, own, plug(1), ...strangers] }),
    );
    expect(quarantined.map((i) => i.name)).toEqual(['tap8', 'veth9']);
  });

  it('shortens long switch names so that none meets another', () => {
    expect(bridgeName('lan')).toBe('pt-lan');
    const long = ['production-east', 'production-west', 'production-east-2'].map(bridgeName);
    expect(new Set(long).size).toBe(3);
    expect(long.every((name) => name.length === 15)).toBe(true);
  });

  it('leaves the group of another switch alone', () => {
    const desired = desiredOf({ groups: [groupDoc('web', {}, 'wan')], ports: [{ n: 1 }] });
    expect(compile(desired, factsOf(desired)).exceptions.map((e) => e.code)).toEqual(['group-missing']);
  });
});
