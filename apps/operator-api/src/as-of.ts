import { type State } from '#domain';
import { type ClusterFollower } from './ports.js';

const shown = new WeakMap<State, State>();

/**
 * The state under the revision that was read. Commits of the log itself (a lineage opened, a leader's first) change
 * no state, so the state's own revision may be smaller.
 */
export function asOf(follower: Pick<ClusterFollower, 'state' | 'lineage' | 'revision'>): State {
  const { state, revision } = follower;
  const lineage = follower.lineage ?? state.lineage;
  if (state.revision === revision && state.lineage === lineage) return state;
  const known = shown.get(state);
  if (known?.revision === revision && known.lineage === lineage) return known;
  const fresh = { ...state, revision, lineage };
  shown.set(state, fresh);
  return fresh;
}
