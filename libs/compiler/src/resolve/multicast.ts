import { type SwitchDocument } from '#contracts';
import { bridgeName } from '../bridge-name.js';
import { type CompileException, type LocalFacts, type MulticastFacts } from '../types.js';
import { type PortPlan } from './plan.js';

const NOBODY_ASKED: MulticastFacts = { settled: [], routers: [], groups: [], refused: [] };

/** Who listens to what on a switch that filters multicast. */
export const multicastOf = (
  doc: SwitchDocument | undefined,
  { multicast }: Pick<LocalFacts, 'multicast'>,
): MulticastFacts | undefined =>
  doc?.multicast === 'snooping' ? (multicast?.[bridgeName(doc.switch)] ?? NOBODY_ASKED) : undefined;

/** The port stands all the same, and so do the groups that it has. */
export function refusedGroups(
  multicast: MulticastFacts | undefined,
  ports: readonly PortPlan[],
): readonly CompileException[] {
  const refused = new Set(multicast?.refused);
  return ports
    .filter(({ slot }) => refused.has(slot))
    .map(({ port }) => ({
      port: null,
      object: `port/${port}`,
      code: 'groups-too-many',
      reason: 'its guest listens to more multicast groups than a port may have: it does not get the others',
    }));
}
