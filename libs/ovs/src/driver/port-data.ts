import { problem, ProblemError } from '#kernel';
import { PORT_DATA } from '#openflow';
import { uuidRef } from '../ovsdb/atoms.js';
import { type RowCache } from '../ovsdb/cache.js';
import { type OvsdbOperation } from '../ovsdb/client.js';
import { type BridgeRow } from '../ovsdb/rows.js';
import { replaceEntries } from './operations.js';

/**
 * One transaction that leaves `PORT_DATA` of an interface on a bridge of ours at this, or takes it away: nothing that
 * the switch has to be configured for. Throws a ProblemError (`not-found`) when no such interface is known.
 */
export function portDataTransaction(
  cache: RowCache,
  device: string,
  data: string | null,
  owns: (uuid: string, row: BridgeRow) => boolean,
): readonly OvsdbOperation[] {
  const uuid = interfaceOf(cache, device, owns);
  if (uuid === undefined)
    throw new ProblemError(problem('not-found', `no bridge of ours has an interface ${device}`));
  const where = [['_uuid', '==', uuidRef(uuid)]];
  const rows = [{ name: device }];
  return [
    // Without this one that went meanwhile would be written to by touching no row.
    { op: 'wait', table: 'Interface', where, columns: ['name'], until: '==', rows, timeout: 0 },
    {
      op: 'mutate',
      table: 'Interface',
      where,
      mutations: replaceEntries('external_ids', data === null ? {} : { [PORT_DATA]: data }, [PORT_DATA]),
    },
  ];
}

function interfaceOf(
  cache: RowCache,
  device: string,
  owns: (uuid: string, row: BridgeRow) => boolean,
): string | undefined {
  for (const [id, bridge] of cache.rows('Bridge'))
    if (owns(id, bridge))
      for (const port of bridge.ports)
        for (const uuid of cache.get('Port', port)?.interfaces ?? [])
          if (cache.get('Interface', uuid)?.name === device) return uuid;
  return undefined;
}
