import { beforeEach, describe, expect, it } from '@jest/globals';
import { diff, observe, type Plan } from '#openflow';
import { compile } from '../compile.js';
import {
  addressSet,
  desiredOf,
  factsOf,
  groupDoc,
  mac,
  portSet,
  type HostSpec,
} from '../documents.fixture.js';
import { faults } from '../check.fixture.js';
import { CompileMemo } from '../memo.js';
import { type Compiled } from '../types.js';
import { packet, type PacketSpec } from './packets.fixture.js';
import { ManualClock, TestHost } from './world.fixture.js';

const IP = (n: number): string => `10.0.0.${n}`;
const between = (from: number, to: number, more: Partial<PacketSpec> = {}): Uint8Array =>
  packet({ to: mac(to), from: mac(from), src: IP(from), dst: IP(to), protocol: 'udp', ...more });
const rule = (name: string, direction: string, action: string, match: object) => ({
  ...{ name, direction, action, tier: 1, enabled: true },
  match,
});
const many = (n: number): string[] => Array.from({ length: n }, (_, i) => `10.1.${i >> 8}.${i & 255}`);

describe('rules that name sets', () => {
  let a: TestHost;
  const spec = (filter: object, sets: HostSpec['sets'] = []): HostSpec => ({
    ports: [{ n: 1, override: { filter } as never }, { n: 2 }, { n: 3 }],
    sets,
  });
  const arrives = (to: number, from: number, f: Uint8Array): boolean => {
    a.forget();
    a.send(from, f);
    return a.got(to).length > 0;
  };
  const stateless = (fallback: string, ...rules: object[]) => ({ stateful: false, default: fallback, rules });

  beforeEach(() => {
    a = new TestHost('h1', new ManualClock());
  });

  it('take who is in them, by address, and nobody else', async () => {
    const filter = stateless('drop', rule('r', 'both', 'allow', { srcSet: 's', dstSet: 's' }));
    await a.become(spec(filter, [addressSet('s', [IP(1), '10.0.0.2/31'])]));
    expect(arrives(2, 1, between(1, 2))).toBe(true);
    expect(arrives(3, 1, between(1, 3))).toBe(true);
    expect(arrives(1, 2, between(2, 1, { src: '10.0.0.4' }))).toBe(false);
    await a.become(spec(filter, [addressSet('s', [IP(1), IP(2)])]));
    expect(arrives(2, 1, between(1, 2))).toBe(true);
    expect(arrives(3, 1, between(1, 3))).toBe(false);
  });

  it('take ports by their MACs, in the segment where they are', async () => {
    const filter = stateless('drop', rule('r', 'out', 'allow', { srcSet: 'p' }));
    await a.become(spec(filter, [portSet('p', [mac(2)])]));
    expect(arrives(1, 2, between(2, 1))).toBe(true);
    expect(arrives(1, 3, between(3, 1))).toBe(false);
    await a.become(spec(filter, [portSet('p', [mac(2)], { mode: 'access', id: 101 })]));
    expect(arrives(1, 2, between(2, 1))).toBe(false);
  });

  it('stop answers, too, of those who are in them no more', async () => {
    const filter = {
      stateful: true,
      default: 'drop',
      rules: [rule('opens', 'in', 'allow', { ipProtocol: 17, dstSet: 's' })],
    };
    await a.become(spec(filter, [addressSet('s', [IP(2), IP(3)])]));
    const [asked, answer] = [between(1, 2, { sport: 9, dport: 7 }), between(2, 1, { sport: 7, dport: 9 })];
    expect(arrives(1, 2, answer)).toBe(false);
    expect(arrives(2, 1, asked)).toBe(true);
    expect(arrives(1, 2, answer)).toBe(true);
    await a.become(spec(filter, [addressSet('s', [IP(3)])]));
    expect(arrives(1, 2, answer)).toBe(false);
    expect(arrives(2, 1, asked)).toBe(false);
    await a.become(spec(filter, [addressSet('s', [IP(2)])]));
    expect(arrives(1, 2, answer)).toBe(true);
  });

  it('stop by a set that answers come under, whoever began', async () => {
    const open = rule('opens', 'in', 'allow', { ipProtocol: 17 });
    const filter = {
      stateful: true,
      default: 'drop',
      rules: [rule('bad', 'in', 'drop', { dstSet: 's' }), open],
    };
    await a.become(spec(filter, [addressSet('s', [])]));
    const [asked, answer] = [between(1, 2, { sport: 9, dport: 7 }), between(2, 1, { sport: 7, dport: 9 })];
    expect(arrives(2, 1, asked)).toBe(true);
    expect(arrives(1, 2, answer)).toBe(true);
    await a.become(spec(filter, [addressSet('s', ['10.0.0.2/31'])]));
    expect(arrives(1, 2, answer)).toBe(false);
  });

  it('change with a member by one flow, however many there are, and the change tightens', () => {
    const memo = new CompileMemo();
    const web = groupDoc('web', {
      filter: stateless('allow', rule('bad', 'out', 'drop', { srcSet: 's' })),
    } as never);
    const desired = desiredOf({ groups: [web], ports: [1, 2, 3].map((n) => ({ n })) });
    const facts = factsOf(desired);
    const at = (addresses: string[], revision: number): Compiled =>
      compile({ ...desired, sets: [addressSet('s', addresses, revision)] }, facts, memo);
    const before = at(many(1_000), 5);
    const steps: [string[], keyof Plan['bridges'][number]['flows']][] = [
      [many(1_001), 'add'],
      [many(1_001).slice(1), 'remove'],
    ];
    let have = before;
    for (const [i, [addresses, what]] of steps.entries()) {
      const now = at(addresses, 6 + i);
      expect(now.state.bridges.flatMap(faults)).toEqual([]);
      const [plan] = diff(now.state, observe(have.state)).bridges;
      const { flows } = plan!;
      expect([flows.add.length, flows.change.length, flows.remove.length]).toEqual(
        what === 'add' ? [1, 0, 0] : [0, 0, 1],
      );
      expect(plan!.tightens).toBe(true);
      // No rule was looked at again: all but the one table's pieces are the same objects.
      const changed = [...(now.state.bridges[0]!.pieces ?? [])].filter(
        ([key, piece]) => have.state.bridges[0]!.pieces?.get(key) !== piece,
      );
      expect(changed.map(([key]) => key.split(' ')[0])).toEqual(['sets']);
      have = now;
    }
  });

  it('close their port until the set is held, in the version that is asked for', () => {
    const filter = stateless('allow', rule('bad', 'out', 'drop', { srcSet: 's' }));
    const codes = (sets: HostSpec['sets'], minRevision = 5): string[] => {
      const desired = desiredOf(spec(filter, sets));
      const ports = desired.ports.map((p, i) => (i === 0 ? { ...p, sets: [{ name: 's', minRevision }] } : p));
      const { exceptions, bindings } = compile({ ...desired, ports: ports as never }, factsOf(desired));
      expect(bindings.map(({ open }) => open)).toEqual([exceptions.length === 0, true, true]);
      return exceptions.map(({ code }) => code);
    };
    expect(codes([])).toEqual(['set-missing']);
    expect(codes([addressSet('s', [IP(1)])], 6)).toEqual(['set-stale']);
    expect(codes([addressSet('s', [IP(1)], 6)], 6)).toEqual([]);
    expect(codes([addressSet('s', ['10.0.0.1/8'])])).toEqual(['set-invalid']);
    const full = { ...portSet('s', []), members: { kind: 'ports', places: null } } as never;
    expect(codes([full])).toEqual(['set-invalid']);
  });

  it('close the port whose sets are more than there are bits for', () => {
    const names = Array.from({ length: 33 }, (_, i) => `s${String(i).padStart(2, '0')}`);
    const naming = (list: readonly string[]) =>
      stateless('allow', ...list.map((srcSet) => rule(srcSet, 'in', 'drop', { srcSet })));
    const desired = desiredOf({
      ports: [
        { n: 1, override: { filter: naming(names.slice(1)) } as never },
        { n: 2, override: { filter: naming(names.slice(0, 2)) } as never },
      ],
      sets: names.map((name) => addressSet(name, [IP(9)])),
    });
    const { exceptions, state } = compile(desired, factsOf(desired));
    expect(exceptions).toMatchObject([{ port: 'p1', code: 'sets-too-many' }]);
    expect(exceptions[0]?.reason).toContain('set s32 is one too many');
    expect(state.bridges.flatMap(faults)).toEqual([]);
  });
});
