import { macToBigint } from '#kernel';
import { type Policy } from '#domain';
import { type PortPlan } from './plan.js';

type OfPort = Pick<PortPlan, 'mac' | 'policy'>;

/** MACs that are the port's alone in its segments: that of its vNIC and the extra ones. */
export function ownMacs({ mac, policy }: OfPort): bigint[] {
  return [...new Set([mac, ...policy.macs.extra.map(macToBigint)])];
}

/** MACs that others may have as well. */
export function sharedMacs(port: OfPort): bigint[] {
  const { shared } = port.policy.macs;
  if (shared.length === 0) return [];
  const own = new Set(ownMacs(port));
  return [...new Set(shared.map(macToBigint))].filter((mac) => !own.has(mac));
}

/** Whether a port may send by MACs that can't be listed. */
export const acceptsOthers = ({ forgedTransmits, macLearning }: Policy): boolean =>
  forgedTransmits || macLearning !== null;

/** Source MACs of the port, where it may not forge others. */
export const sourceMacs = (port: OfPort): bigint[] => [...ownMacs(port), ...sharedMacs(port)];
