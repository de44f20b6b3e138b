import { type Mirror } from '#domain';
import { groupDoc, switchDoc, type HostSpec } from '../documents.fixture.js';

/** A source and a target; the rest is filled in. */
export type MirrorSpec = Pick<Mirror, 'sources' | 'to'> & Partial<Mirror>;

export const MIRROR_VLAN = 999;

/**
 * Ports 1 and 2 in VLAN 100, 3 a trunk (100 to 110, native 100), 4 the one who looks on, 5 of nobody: a trunk of
 * everything. Two uplinks, and each may carry each port.
 */
export function mirroredHost(mirrors: readonly object[], more: Partial<HostSpec> = {}): HostSpec {
  const filled = mirrors.map((m, i) => ({ name: `m${i}`, snapLength: null, allowTraffic: false, ...m }));
  const doc = { ...switchDoc('lan', ['uplink1', 'uplink2']), mirrors: filled };
  return {
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [doc as unknown as typeof doc & { mirrors: readonly Mirror[] }],
    groups: [
      groupDoc('web', { vlan: { mode: 'access', id: 100 } } as never),
      groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 100, to: 110 }], native: 100 } } as never),
      groupDoc('look', { vlan: { mode: 'none' } } as never),
      groupDoc('all', {
        vlan: { mode: 'trunk', ranges: [{ from: 1, to: 4094 }] },
      } as never),
    ],
    ports: [{ n: 1 }, { n: 2 }, { n: 3, group: 'trunk' }, { n: 4, group: 'look' }, { n: 5, group: 'all' }],
    ...more,
  };
}
