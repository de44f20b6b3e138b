import { type PortId } from '#kernel';
import { type Port } from '../model/state.js';
import { type Next } from '../state/next.js';

/** Deleted ports that stay in the state, with their epochs and ledgers; the log has all of them. */
export const DELETED_KEPT = 4096;

const numberOf = (id: PortId): number => Number(id.slice(1));

/** The order in which deleted ports leave: a state that was read has the one that it had when it was written. */
export const byDeletion = (a: Port, b: Port): number =>
  a.version - b.version || numberOf(a.id) - numberOf(b.id);

/**
 * A port that was deleted stays for a while, so that its ledger can be read and a late word of it is told why it is
 * refused. One that was never bound has neither ledger nor epoch: nothing of it stays. Its id is not used again.
 */
export function keepDeleted(next: Next, port: Port): void {
  if (port.epoch === 0) {
    next.ports = next.ports.remove(port.id);
    return;
  }
  const place = placeOf(next, port);
  next.deleted =
    place === next.deleted.size ? next.deleted.push(port.id) : next.deleted.insert(place, port.id);
  const oldest = next.deleted.first();
  if (next.deleted.size <= DELETED_KEPT || oldest === undefined) return;
  next.deleted = next.deleted.shift();
  next.ports = next.ports.remove(oldest);
}

/** At the end, but for those of one commit, which stand in order of their numbers. */
function placeOf({ deleted, ports }: Next, port: Port): number {
  let at = deleted.size;
  for (; at > 0; at -= 1) {
    const before = ports.get(deleted.get(at - 1) as PortId);
    if (before === undefined || byDeletion(before, port) < 0) break;
  }
  return at;
}
