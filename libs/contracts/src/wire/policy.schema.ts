import { POLICY_FIELDS, TEAMING_MODES, TRAFFIC_CLASSES } from '#domain/on-host';
import { FilterSchema } from './filter.schema.js';
import { AMac, AnIndex, AText, AVlanId, Count } from './scalars.js';
import { bool, list, literal, nullable, oneOf, optional, shape, union } from './schema.js';

export const VlanSchema = union([
  shape({ mode: literal('none') }),
  shape({ mode: literal('access'), id: AVlanId }),
  shape({
    mode: literal('trunk'),
    ranges: list(shape({ from: AVlanId, to: AVlanId }), 4094),
    native: optional(AVlanId),
  }),
  shape({ mode: literal('private'), primary: AVlanId, secondary: AVlanId }),
]);

const Shaping = nullable(shape({ average: Count, peak: Count, burst: Count }));

const Uplinks = list(AText, 64);

/** The shape of a policy, in full. What its values mean together (ranges, bursts, uplinks) is the domain's to judge. */
export const PolicyPatchSchema = shape({
  vlan: optional(VlanSchema),
  blocked: optional(bool),
  promiscuous: optional(bool),
  macChanges: optional(bool),
  forgedTransmits: optional(bool),
  macs: optional(shape({ extra: list(AMac, 64), shared: list(AMac, 16) })),
  macLearning: optional(
    nullable(
      shape({
        limit: AnIndex(4096),
        atLimit: oneOf('drop', 'flood'),
        ageSeconds: AnIndex(3600),
        floodUnknown: bool,
      }),
    ),
  ),
  addresses: optional(nullable(shape({ allow: list(AText, 256), arp: bool, nd: bool, dhcp: bool }))),
  shapingIn: optional(Shaping),
  shapingOut: optional(Shaping),
  filter: optional(FilterSchema),
  teaming: optional(
    shape({
      mode: oneOf(...TEAMING_MODES),
      active: Uplinks,
      standby: Uplinks,
      failback: bool,
      notify: bool,
      detection: oneOf('link', 'beacon'),
    }),
  ),
  bandwidth: optional(
    nullable(
      shape({
        shares: AnIndex(100),
        limit: nullable(Count),
        reservation: Count,
        class: oneOf(...TRAFFIC_CLASSES),
      }),
    ),
  ),
  ipfix: optional(bool),
});

export const PolicyFieldSchema = oneOf(...POLICY_FIELDS);
