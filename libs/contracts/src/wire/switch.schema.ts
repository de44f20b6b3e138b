import { AGroupName, AnIndex, APortId, AText, AVlanId, Count } from './scalars.js';
import { bool, list, nullable, oneOf, optional, shape, union } from './schema.js';

const direction = oneOf('in', 'out', 'both');

const Mirror = shape({
  name: AText,
  sources: list(
    union([
      shape({ port: APortId, direction }),
      shape({ group: AGroupName, direction }),
      shape({ uplink: AText, direction }),
    ]),
    1024,
  ),
  vlans: optional(list(AnIndex(4094), 4095)),
  to: union([
    shape({ port: APortId }),
    shape({ uplinks: list(AText, 64), vlan: AVlanId }),
    shape({ erspan: AText, session: AnIndex(1023) }),
  ]),
  snapLength: nullable(AnIndex(9216)),
  allowTraffic: bool,
});

const ClassBandwidth = optional(shape({ shares: AnIndex(100), limit: nullable(Count), reservation: Count }));

/** What a switch does beside its ports' policies: fields of its spec and of its document. */
export const switchFeatures = {
  privateVlans: list(
    shape({
      primary: AVlanId,
      secondary: AVlanId,
      kind: oneOf('promiscuous', 'isolated', 'community'),
    }),
    4094,
  ),
  lags: list(
    shape({
      name: AText,
      uplinks: list(AText, 8),
      mode: oneOf('active', 'passive'),
      fast: bool,
      hash: oneOf('l2', 'l3l4'),
    }),
    64,
  ),
  mirrors: list(Mirror, 32),
  ipfix: nullable(
    shape({
      collector: AText,
      domain: AnIndex(0xffff_ffff),
      activeTimeout: AnIndex(3600),
      sampling: AnIndex(1_000_000),
      internalOnly: bool,
    }),
  ),
  sflow: nullable(
    shape({
      collector: AText,
      sampling: AnIndex(1_000_000),
      pollingSeconds: AnIndex(3600),
      header: AnIndex(256),
    }),
  ),
  discovery: shape({ mode: oneOf('off', 'listen', 'advertise', 'both'), intervalSeconds: AnIndex(3600) }),
  multicast: oneOf('basic', 'snooping'),
  healthCheck: nullable(shape({ intervalSeconds: AnIndex(3600) })),
  bandwidth: nullable(
    shape({
      classes: shape({
        management: ClassBandwidth,
        migration: ClassBandwidth,
        vm: ClassBandwidth,
        storage: ClassBandwidth,
      }),
      reservable: AnIndex(75),
    }),
  ),
} as const;

export const ForeignFlows = oneOf('report', 'remove');
