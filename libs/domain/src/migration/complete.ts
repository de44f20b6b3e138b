import { type Migration, type State } from '../model/state.js';

/** The source's counters are all in. Bindings there that are newer belong to a way back, not to this. */
function sourceSettled(state: State, { ports, source }: Migration): boolean {
  return ports.every(
    (p) => !state.ports.get(p.port)?.retiring.some((b) => b.host === source && b.epoch < p.epoch),
  );
}

/**
 * Whether a switched migration has nothing left to wait for. When we drive, the hypervisor must have spoken: until then
 * it may still resume the guest at the source. One that does not know any more (`unknown`: a guest leaves no trace of
 * where it went) is not waited for: once the source has handed in its counters nothing that it says could undo this.
 */
export function isComplete(state: State, m: Migration): boolean {
  const said = m.origin === 'observed' || m.outcome === 'completed' || m.outcome === 'unknown';
  return m.phase === 'switched' && said && sourceSettled(state, m);
}
