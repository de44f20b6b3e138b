import { type RowCache } from '../ovsdb/cache.js';
import { type BridgeRow, type PortRow } from '../ovsdb/rows.js';

/** external_ids key of a bridge that is ours; its value names the switch. */
export const SWITCH_KEY = 'portolan-switch';
/** What of Port.external_ids is ours. */
export const MARK_PREFIX = 'portolan-';
/** Interface.external_ids key of devices that the agent plugged itself. */
export const PLUGGED_KEY = 'portolan-plugged';
/** Never reached by our pipeline, so that a flow there changes nothing for any packet. */
export const KICK_TABLE = 253;

/** A bridge row bears our mark when somebody wrote it there; an empty one is none. */
export const isOurs = (bridge: BridgeRow): boolean => (bridge.externalIds[SWITCH_KEY] ?? '') !== '';

export const isMark = (key: string): boolean => key.startsWith(MARK_PREFIX);

/** Bears the mark of a port that the agent plugged, or is the bridge's own: what is set of their devices is ours. */
export const isOwnPort = (bridge: BridgeRow, port: PortRow): boolean =>
  port.name === bridge.name || port.externalIds[PLUGGED_KEY] === 'agent';

export interface Found<T> {
  readonly uuid: string;
  readonly row: T;
}

export function findBridge(cache: RowCache, name: string): Found<BridgeRow> | undefined {
  for (const [uuid, row] of cache.rows('Bridge')) if (row.name === name) return { uuid, row };
  return undefined;
}

export function findPort(cache: RowCache, bridge: BridgeRow, name: string): Found<PortRow> | undefined {
  for (const uuid of bridge.ports) {
    const row = cache.get('Port', uuid);
    if (row?.name === name) return { uuid, row };
  }
  return undefined;
}
