import { macToBigint } from '#kernel';
import { type Filter } from '#domain';
import { type SetDocument, type SwitchDocument } from '#contracts';
import { type Desired, type KeepsState, type OtherEnd } from '../../types.js';
import { aMember } from '../sets/rows.js';
import { concerns, type Way } from '../filter/sides.js';

/** For each of them one frame more is made of every connection. */
const MOST = 8;

/** Whom rules want as the other end of connections that they let begin this way, in their order. */
export const othersOf = ({ rules }: Filter, way: Way): readonly OtherEnd[] =>
  rules.flatMap((rule): OtherEnd[] => {
    if (!rule.enabled || rule.action !== 'allow' || !concerns(rule, way)) return [];
    const { srcMac, srcSet, dstMac, dstSet } = rule.match;
    const [mac, set] = way === 'in' ? [dstMac, dstSet] : [srcMac, srcSet];
    if (mac !== undefined) return [{ mac }];
    return set === undefined ? [] : [{ set }];
  });

/**
 * MACs that stand for those ends here, one for each: conntrack tells nobody's. Which member of a set it is does not
 * matter for the entry, and whoever speaks in the connection is asked for its own.
 */
export function othersHere(
  { others, segment }: KeepsState,
  way: Way,
  on: Pick<SwitchDocument, 'switch' | 'privateVlans'>,
  sets: Desired['sets'] = [],
): readonly bigint[] {
  const inSet = (name: string): bigint | undefined => {
    const found: SetDocument | undefined = sets.find(({ set }) => set === name);
    return found && aMember(found, on, segment);
  };
  const macs = (others?.[way] ?? []).flatMap((end) =>
    'mac' in end ? macToBigint(end.mac.split('/')[0] ?? '') : (inSet(end.set) ?? []),
  );
  return [...new Set(macs)].slice(0, MOST);
}
