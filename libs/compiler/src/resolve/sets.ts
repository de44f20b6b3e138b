import { type SetName } from '#kernel';
import { type Filter } from '#domain';
import { type GroupDocument, type PortDocument, type SetDocument, type SetRef } from '#contracts';
import { fnv32 } from '../hash.js';
import { prefixOf } from '../prefixes.js';
import { type Refusal } from './interfaces.js';
import { shut, type ResolvedPort } from './ports.js';
import { type Place, type SetPlan } from './plan.js';

/** Sets of each kind that a bridge can tell apart: a register's bits. */
export const MAX_SETS = 32;

const named = new WeakMap<Filter, readonly SetName[]>();

/** Sets that rules of a filter name, sorted; a rule that is off names none. */
export function setsIn(filter: Filter): readonly SetName[] {
  const before = named.get(filter);
  if (before !== undefined) return before;
  const names = new Set<SetName>();
  for (const { enabled, match } of filter.rules)
    for (const name of enabled ? [match.srcSet, match.dstSet] : []) if (name !== undefined) names.add(name);
  const sorted = [...names].sort();
  named.set(filter, sorted);
  return sorted;
}

/** What of the documents decides about the sets of one port. */
export interface SetContext {
  readonly place: Pick<Place, 'switchDoc'>;
  readonly groups: ReadonlyMap<string, GroupDocument>;
  readonly sets: ReadonlyMap<string, SetDocument>;
}

/** Why a port's rules can't be carried out for want of a set; null: they can. */
export function lackingSet(filter: Filter, doc: PortDocument, context: SetContext): Refusal | null {
  const names = setsIn(filter);
  if (names.length === 0) return null;
  const levels = [doc, context.groups.get(doc.group), context.place.switchDoc];
  for (const name of names) {
    const set = context.sets.get(name);
    if (set === undefined) return { code: 'set-missing', reason: `the document of set ${name} is not held` };
    for (const level of levels) {
      const asked = level?.sets?.find((ref) => ref.name === name);
      const why = asked === undefined ? null : staleness(set, asked, level);
      if (why !== null) return why;
    }
    const bad = unusable(set);
    if (bad !== null) return { code: 'set-invalid', reason: `set ${name} ${bad}` };
  }
  return null;
}

function staleness(
  set: SetDocument,
  { minRevision }: SetRef,
  level: Pick<SetDocument, 'lineage'> | undefined,
): Refusal | null {
  if (set.lineage === level?.lineage && set.revision >= minRevision) return null;
  const needed = `${level?.lineage}:${minRevision}`;
  const reason = `set ${set.set} is held at ${set.lineage}:${set.revision}, needed ${needed}`;
  return { code: 'set-stale', reason };
}

const judged = new WeakMap<SetDocument, string | null>();

/** What is wrong with a set: half of it would let pass what the other half is to stop. */
export function unusable(set: SetDocument): string | null {
  let bad = judged.get(set);
  if (bad === undefined) judged.set(set, (bad = judge(set)));
  return bad;
}

function judge({ members }: SetDocument): string | null {
  if (members.kind === 'ports') return members.places === null ? 'has more ports than can be told' : null;
  const bad = members.addresses.find((text) => prefixOf(text) === null);
  return bad === undefined ? null : `has the member ${bad}, which is no IP prefix`;
}

type Kind = SetPlan['kind'];
const KINDS: readonly Kind[] = ['addresses', 'ports'];

/**
 * Closes ports whose rules name sets that are not there, or more than there are bits for: the first ones by name have
 * them, whatever the order of the ports.
 */
export function refuseSets(
  entries: readonly ResolvedPort[],
  docs: readonly PortDocument[],
  context: SetContext,
): readonly ResolvedPort[] {
  const held = entries.map((entry, i) => {
    const doc = docs[i];
    const { plan } = entry;
    if (doc === undefined || plan === undefined || plan.life === 'closed' || entry.refusal !== undefined)
      return entry;
    const refusal = lackingSet(plan.policy.filter, doc, context);
    return refusal === null ? entry : shut(plan, refusal);
  });
  const over = new Set<SetName>(KINDS.flatMap((kind) => namesIn(held, kind, context).slice(MAX_SETS)));
  if (over.size === 0) return held;
  return held.map((entry) => {
    const { plan } = entry;
    const name = entry.refusal === undefined ? namesOf(entry).find((n) => over.has(n)) : undefined;
    if (plan === undefined || name === undefined) return entry;
    const reason = `set ${name} is one too many: ports here name more than ${MAX_SETS} of its kind`;
    return shut(plan, { code: 'sets-too-many', reason });
  });
}

const namesOf = ({ plan }: ResolvedPort): readonly SetName[] =>
  plan === undefined || plan.life === 'closed' ? [] : setsIn(plan.policy.filter);

const namesIn = (
  entries: readonly ResolvedPort[],
  kind: Kind,
  { sets }: Pick<SetContext, 'sets'>,
): SetName[] =>
  [...new Set(entries.flatMap(namesOf))].filter((name) => sets.get(name)?.members.kind === kind).sort();

/** The sets that ports of a bridge name, each with its bit. */
export function setPlans(entries: readonly ResolvedPort[], context: Pick<SetContext, 'sets'>): SetPlan[] {
  return KINDS.flatMap((kind) => {
    const bits = allot(namesIn(entries, kind, context));
    return [...bits].flatMap(([name, bit]) => {
      const document = context.sets.get(name);
      return document === undefined ? [] : [{ name, kind, bit, document }];
    });
  });
}

/** A bit hangs on the name, so that a set that comes or goes moves another only where both want the same one. */
function allot(names: readonly SetName[]): ReadonlyMap<SetName, number> {
  const taken = new Set<number>();
  return new Map(
    names.slice(0, MAX_SETS).map((name) => {
      let bit = fnv32(name) % MAX_SETS;
      while (taken.has(bit)) bit = (bit + 1) % MAX_SETS;
      taken.add(bit);
      return [name, bit];
    }),
  );
}
