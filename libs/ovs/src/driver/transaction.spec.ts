import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '#kernel';
import { RowCache } from '../ovsdb/cache.js';
import { buildTransaction } from './transaction.js';

const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
const map = (entries: Record<string, string>) => ['map', Object.entries(entries)];

function cacheWith(): RowCache {
  const cache = new RowCache();
  cache.apply({
    Bridge: {
      [uuid(1)]: {
        initial: { name: 'ours', external_ids: map({ 'portolan-switch': 's' }), ports: ['uuid', uuid(3)] },
      },
      [uuid(2)]: { initial: { name: 'theirs', external_ids: map({}) } },
    },
    Port: { [uuid(3)]: { initial: { name: 'p', external_ids: map({ 'portolan-old': '1', foreign: '2' }) } } },
  });
  return cache;
}

const problemOf = (act: () => unknown) => {
  try {
    act();
  } catch (cause) {
    if (cause instanceof ProblemError) return cause.problem;
    throw cause;
  }
  return undefined;
};

describe('buildTransaction', () => {
  const build = (...changes: Parameters<typeof buildTransaction>[0]) =>
    buildTransaction(changes, cacheWith(), 'netdev');
  const port = { name: 'eth9', plugged: 'agent', type: '', marks: { 'portolan-uplink': 'u1' } } as const;

  it('makes bridge and uplink in one transaction, closed, and asks for the configuration number last', () => {
    const { operations, configAt, added } = build(
      { op: 'add-bridge', bridge: 'new', switch: 's', mtu: 1_500 },
      { op: 'add-port', bridge: 'new', port },
    );
    expect(operations.map(({ op, table }) => `${op} ${String(table)}`)).toEqual([
      'wait Bridge',
      'insert Interface',
      'insert Port',
      'insert Bridge',
      'mutate Open_vSwitch',
      'wait Port',
      'insert Interface',
      'insert Port',
      'mutate Bridge',
      'mutate Open_vSwitch',
      'select Open_vSwitch',
    ]);
    expect(operations[3]).toMatchObject({ row: { fail_mode: 'secure', datapath_type: 'netdev' } });
    expect(operations[6]).toMatchObject({ row: { name: 'eth9', mtu_request: 1_500 } });
    expect({ configAt, added }).toEqual({ configAt: 10, added: ['new'] });
  });

  it('asks of an uplink what it asks of its bridge in the same transaction', () => {
    const set = { op: 'set-bridge', bridge: 'ours', switch: 's', mtu: 9_000 } as const;
    const { operations } = build(set, { op: 'add-port', bridge: 'ours', port });
    const inserted = operations.find(({ op, table }) => op === 'insert' && table === 'Interface');
    expect(inserted).toMatchObject({ row: { name: 'eth9', mtu_request: 9_000 } });
    expect(operations[0]).toMatchObject({ table: 'Bridge', row: { datapath_type: 'netdev' } });
  });

  it('marks with keys of ours only, and waits for no switch', () => {
    const { operations, configAt } = build({
      op: 'mark-port',
      bridge: 'ours',
      port: 'p',
      marks: { 'portolan-n': 'v' },
    });
    expect(configAt).toBeUndefined();
    expect(operations[1]).toMatchObject({
      mutations: [
        ['external_ids', 'delete', ['set', ['portolan-old', 'portolan-n']]],
        ['external_ids', 'insert', ['map', [['portolan-n', 'v']]]],
      ],
    });
  });

  it.each([
    ['a bridge that is not there', 'not-found', { op: 'remove-bridge', bridge: 'none' }],
    ["somebody else's bridge", 'conflict', { op: 'remove-bridge', bridge: 'theirs' }],
    ['a port that is not there', 'not-found', { op: 'remove-port', bridge: 'ours', port: 'none' }],
    ['foreign marks', 'invalid', { op: 'mark-port', bridge: 'ours', port: 'p', marks: { vm: '1' } }],
    ['too long a name', 'invalid', { op: 'add-bridge', bridge: 'x'.repeat(16), switch: 's', mtu: 1_500 }],
    ['a path for a name', 'invalid', { op: 'add-port', bridge: 'ours', port: { ...port, name: '../x' } }],
  ] as const)('refuses %s', (_what, code, change) => {
    expect(problemOf(() => build(change))?.code).toBe(code);
  });

  it('knows in later changes what earlier ones did', () => {
    const problem = problemOf(() =>
      build({ op: 'remove-bridge', bridge: 'ours' }, { op: 'add-port', bridge: 'ours', port }),
    );
    expect(problem?.code).toBe('not-found');
  });
});
