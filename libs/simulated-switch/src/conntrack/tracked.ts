import { type TrackedConnection } from '#openflow';
import { type Connection } from './conntrack.js';

const TCP = 6;

/** As a driver tells it. */
export function tracked({ original, mark, replied, ended }: Connection): TrackedConnection {
  const { protocol, tcpFlags: _, related: __, ...tuple } = original;
  const isOver = ended.original && ended.reply;
  const phase = protocol !== TCP || (replied && !isOver) ? 'open' : isOver ? 'over' : 'opening';
  return { protocol, original: tuple, mark, phase };
}
