import { type Ipfix } from '#domain';
import { type SwitchDocument } from '#contracts';
import { type BridgeExports } from '#openflow';
import { type SamplePlan } from './plan.js';

/** The one set of collectors of a bridge. */
export const COLLECTORS = 1;
/** Flows that are put together before the collector is told; without any, each frame is told by itself. */
const MAX_FLOWS = 16_384;
const EVERY = 65_536;

/** Whom the switch tells: of single ports by IPFIX, of all that passes by sFlow. */
export function exportsOf({ ipfix, sflow }: SwitchDocument): { readonly exports?: BridgeExports } {
  if (ipfix === null && sflow === null) return {};
  return {
    exports: {
      ...(ipfix === null ? {} : { collectorSets: [{ id: COLLECTORS, ipfix: collector(ipfix) }] }),
      ...(sflow === null
        ? {}
        : {
            sflow: {
              targets: [sflow.collector],
              sampling: sflow.sampling,
              polling: sflow.pollingSeconds,
              header: sflow.header,
            },
          }),
    },
  };
}

const collector = ({ collector, activeTimeout }: Ipfix) => ({
  targets: [collector],
  activeTimeout,
  maxFlows: MAX_FLOWS,
});

/** Of a port that is told of; nothing where the switch has no collector. */
export function sampledBy(ipfix: Ipfix | null): SamplePlan | undefined {
  if (ipfix === null) return undefined;
  const { sampling, domain, internalOnly } = ipfix;
  // The switch's own limit is one less than all, which it takes for all.
  const probability = Math.min(EVERY - 1, Math.max(1, Math.round(EVERY / sampling)));
  return { probability, domain, internalOnly };
}
