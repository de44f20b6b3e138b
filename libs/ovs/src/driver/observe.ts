import { type ObservedInterface } from '#openflow';
import { type RowCache } from '../ovsdb/cache.js';
import { type InterfaceRow, type PortRow } from '../ovsdb/rows.js';
import { isMark } from './names.js';
import { portSettings } from './settings.js';

/** Every interface of every bridge, in the words of the data plane. The bridge's own (`local`) device is one too. */
export function observeInterfaces(cache: RowCache): readonly ObservedInterface[] {
  const found: ObservedInterface[] = [];
  for (const [, bridge] of cache.rows('Bridge')) {
    for (const portId of bridge.ports) {
      const port = cache.get('Port', portId);
      for (const interfaceId of port?.interfaces ?? []) {
        const row = cache.get('Interface', interfaceId);
        if (port && row) found.push(observe(bridge.name, port, row));
      }
    }
  }
  return found;
}

function observe(bridge: string, port: PortRow, row: InterfaceRow): ObservedInterface {
  const settings = portSettings(port, row);
  return {
    bridge,
    name: row.name,
    ...(row.name === port.name ? {} : { port: port.name }),
    ...(row.ofport === undefined ? {} : { ofport: row.ofport }),
    linkUp: row.linkUp,
    externalIds: row.externalIds,
    marks: Object.fromEntries(Object.entries(port.externalIds).filter(([key]) => isMark(key))),
    type: row.type,
    ...(row.mac === undefined ? {} : { mac: row.mac }),
    ...(row.mtu === undefined ? {} : { mtu: row.mtu }),
    ...(row.mtuRequest === undefined ? {} : { mtuRequest: row.mtuRequest }),
    ...(row.linkSpeed === undefined ? {} : { linkSpeed: row.linkSpeed }),
    ...(row.lacpCurrent === undefined ? {} : { lacpCurrent: row.lacpCurrent }),
    ...(row.error === undefined ? {} : { error: row.error }),
    ...(settings === undefined ? {} : { settings }),
  };
}
