import { type Lineage, type Revision } from '#kernel';
import { type State } from '#domain';

/** What every document bears of the commit that it reflects. */
export interface Stamp {
  readonly schema: 1;
  readonly lineage: Lineage;
  readonly revision: Revision;
}

/** Null of a state without a lineage: nothing was committed, so there is nothing to say. */
export const stampOf = (state: State): Stamp | null =>
  state.lineage === null ? null : { schema: 1, lineage: state.lineage, revision: state.revision };
