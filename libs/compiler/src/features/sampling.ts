import { type Action } from '#openflow';
import { match } from '../pipeline/actions.js';
import { type Feature } from '../pipeline/feature.js';
import { REG } from '../pipeline/registers.js';
import { nextIn, nextOut } from '../pipeline/stages.js';
import { TABLES } from '../pipeline/tables.js';
import { COLLECTORS } from '../resolve/exports.js';
import { isPlugged, type PortPlan, type SamplePlan } from '../resolve/plan.js';

/**
 * A collector is told of what a port sends, before policy, and of what it gets, behind it (IPFIX). The observation
 * point is the port's number. sFlow is the switch's own and has no flow.
 */
export const sampling: Feature = {
  name: 'sampling',
  port: (port, out) => {
    const { slot, sampled } = port;
    if (sampled === undefined || !isPlugged(port)) return;
    const { ofport } = port;
    if (!sampled.internalOnly) {
      const actions = [sample(port, sampled), nextIn(port, 'SAMPLE_IN')];
      out.flow(TABLES.SAMPLE_IN, 100, match({ [REG.from]: slot }), actions, slot);
    }
    const to = { [REG.to]: slot };
    const next = nextOut(port, 'SAMPLE_OUT');
    const egress = { ...sample(port, sampled), port: ofport, direction: 'egress' } as const;
    out.flow(TABLES.SAMPLE_OUT, 100, match(to), [egress, next], slot);
    if (sampled.internalOnly) out.flow(TABLES.SAMPLE_OUT, 200, match({ ...to, [REG.from]: 0 }), [next], slot);
  },
};

const sample = (
  { port }: PortPlan,
  { probability, domain }: SamplePlan,
): Extract<Action, { kind: 'sample' }> => ({
  kind: 'sample',
  probability,
  collectorSet: COLLECTORS,
  domain,
  point: Number(port.slice(1)),
});
