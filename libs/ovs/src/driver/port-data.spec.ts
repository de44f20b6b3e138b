import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '#kernel';
import { RowCache } from '../ovsdb/cache.js';
import { isOurs } from './names.js';
import { portDataTransaction } from './port-data.js';

const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
const bridge = (name: string, ids: readonly string[][], port: number) => ({
  initial: { name, external_ids: ['map', ids], ports: ['uuid', uuid(port)] },
});
const port = (name: string, device: number) => ({ initial: { name, interfaces: ['uuid', uuid(device)] } });

describe('portDataTransaction', () => {
  const cache = new RowCache();
  cache.apply({
    Bridge: { [uuid(1)]: bridge('ours', [['portolan-switch', 's']], 3), [uuid(2)]: bridge('theirs', [], 4) },
    Port: { [uuid(3)]: port('tap1', 5), [uuid(4)]: port('tap2', 6) },
    Interface: { [uuid(5)]: { initial: { name: 'tap1' } }, [uuid(6)]: { initial: { name: 'tap2' } } },
  });
  const of = (device: string, data: string | null) =>
    portDataTransaction(cache, device, data, (_, row) => isOurs(row));

  it('changes one entry of one row, and waits for no switch', () => {
    const where = [['_uuid', '==', ['uuid', uuid(5)]]];
    const removes = ['external_ids', 'delete', ['set', ['PortData']]];
    expect(of('tap1', 'x')).toMatchObject([
      { op: 'wait', table: 'Interface', where, rows: [{ name: 'tap1' }] },
      { op: 'mutate', where, mutations: [removes, ['external_ids', 'insert', ['map', [['PortData', 'x']]]]] },
    ]);
    expect(of('tap1', null)[1]).toMatchObject({
      mutations: [removes, ['external_ids', 'insert', ['map', []]]],
    });
  });

  it.each(['tap2', 'tap3'])('refuses %s, which is on no bridge of ours', (device) => {
    expect(() => of(device, 'x')).toThrow(ProblemError);
  });
});
