import { type State } from '../model/state.js';
import { copyOf, type Next } from './next.js';

const MAPS = [
  'hosts',
  'switches',
  'groups',
  'ports',
  'sets',
  'migrations',
  'evacuations',
  'byIface',
  'byMac',
  'byGroup',
  'free',
  'byHost',
  'byOwner',
  'bySetMember',
  'moving',
] as const satisfies readonly (keyof State)[];

/**
 * Every map of a state that is one. A new one must be named here: the type below says so. Lists stay as they are: what
 * is inserted into a mutable one of `immutable` leaves nothing else in it.
 */
type Maps = Exclude<
  { [K in keyof State]: State[K] extends { asMutable(): unknown } ? K : never }[keyof State],
  'deleted'
>;
const all: Exclude<Maps, (typeof MAPS)[number]> extends never ? true : never = true;

/** The maps behind one signature: what is done to them keeps their types. */
type Untyped = Record<(typeof MAPS)[number], { asMutable(): unknown; asImmutable(): unknown }>;

/** A state whose maps `evolve` changes in place; the argument stays as it is. For one owner, who looks at no past. */
export function thaw(state: State): State {
  const next: Next = copyOf(state);
  if (all) for (const name of MAPS) (next as Untyped)[name] = (state as Untyped)[name].asMutable() as never;
  return next;
}

/** Ends the changing in place: the maps of the argument are those of the result, and must not be thawed again. */
export function freeze(state: State): State {
  const next: Next = copyOf(state);
  for (const name of MAPS) (next as Untyped)[name] = (state as Untyped)[name].asImmutable() as never;
  return next;
}
