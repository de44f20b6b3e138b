import { type RowCache } from '../ovsdb/cache.js';
import { type BridgeRow } from '../ovsdb/rows.js';
import { isOurs, PLUGGED_KEY } from './names.js';

/**
 * Which bridges are ours: those that bear our mark, and those that somebody took it from. That they were ours is known
 * from having seen the mark on the very row, or from ports in it that nobody but the agent marks as plugged by it.
 */
export class Ownership {
  private readonly seen = new Set<string>();

  /** To be called with every change of bridges. */
  note(cache: RowCache): void {
    const rows = new Map(cache.rows('Bridge'));
    for (const uuid of this.seen) if (!rows.has(uuid)) this.seen.delete(uuid);
    for (const [uuid, row] of rows) if (isOurs(row) || holdsOurPorts(cache, row)) this.seen.add(uuid);
  }

  has = (uuid: string, row: BridgeRow): boolean => isOurs(row) || this.seen.has(uuid);
}

const holdsOurPorts = (cache: RowCache, bridge: BridgeRow): boolean =>
  bridge.ports.some((uuid) => cache.get('Port', uuid)?.externalIds[PLUGGED_KEY] === 'agent');
