import { CT_STATE, type CtFilter, type CtTuple } from '#openflow';
import { isBroken, isFinal, isOpening, isReset, mayBegin, reverse, tupleKey, type Tuple } from './tuple.js';

export interface Connection {
  readonly zone: number;
  readonly original: Tuple;
  mark: number;
  label: bigint;
  /** A frame of the other direction came. */
  replied: boolean;
  /** Directions that said FIN, or that one said RST; with both it is over. */
  readonly ended: { original: boolean; reply: boolean };
}

/** What a `ct` tells of a frame. `original` is absent for what is invalid. */
export interface Verdict {
  readonly state: bigint;
  readonly original?: Tuple;
  readonly connection?: Connection;
}

const INVALID: Verdict = { state: CT_STATE.invalid | CT_STATE.tracked };
/** As many as the switch takes by itself. */
const MOST = 3_000_000;

/**
 * Connections of the whole host, as userspace has them, but for sequence numbers, fragments and time-outs: a
 * connection is new until a frame came back, however many went out; its mark is told all the while.
 */
export class Conntrack {
  private readonly connections = new Map<string, Connection>();

  all(): readonly Connection[] {
    return [...this.connections.values()];
  }

  /** What the frame is in this zone; remembers it with `commit` if it is new. */
  track(zone: number, tuple: Tuple | undefined, commit: boolean, force: boolean): Verdict {
    if (tuple === undefined || isBroken(tuple)) return INVALID;
    const forward = this.connections.get(`${zone}|${tupleKey(tuple)}`);
    const found = forward ?? this.connections.get(`${zone}|${tupleKey(reverse(tuple))}`);
    const over = found?.ended.original === true && found.ended.reply && isOpening(tuple);
    if (found === undefined || over || (force && commit && forward === undefined)) {
      if (!mayBegin(tuple)) return INVALID;
      if (found !== undefined) this.forget(found);
      const connection = commit ? this.begin(zone, tuple) : undefined;
      const fresh = { state: CT_STATE.new | CT_STATE.tracked, original: tuple };
      return connection === undefined ? fresh : { ...fresh, connection };
    }
    return this.known(found, tuple, forward === undefined);
  }

  /** Forgets what agrees with the filter. */
  flush(filter: CtFilter): void {
    for (const connection of this.all()) {
      const { zone, original } = connection;
      if (filter.zone !== undefined && filter.zone !== zone) continue;
      if (filter.protocol !== undefined && filter.protocol !== original.protocol) continue;
      if (agrees(filter.original, original) && agrees(filter.reply, reverse(original)))
        this.forget(connection);
    }
  }

  private known(connection: Connection, tuple: Tuple, reply: boolean): Verdict {
    const { original } = connection;
    const direction = reply ? CT_STATE.reply : 0n;
    if (tuple.related)
      return { state: CT_STATE.related | CT_STATE.tracked | direction, original, connection };
    if (reply) connection.replied = true;
    if (isReset(tuple)) connection.ended.original = connection.ended.reply = true;
    if (isFinal(tuple)) connection.ended[reply ? 'reply' : 'original'] = true;
    const age = connection.replied ? CT_STATE.established : CT_STATE.new;
    return { state: age | CT_STATE.tracked | direction, original, connection };
  }

  private begin(zone: number, original: Tuple): Connection | undefined {
    if (this.connections.size >= MOST) return undefined;
    const ended = { original: isReset(original), reply: isReset(original) };
    const connection = { zone, original, mark: 0, label: 0n, replied: false, ended };
    this.connections.set(keyOf(connection), connection);
    return connection;
  }

  private forget(connection: Connection): void {
    this.connections.delete(keyOf(connection));
  }
}

const keyOf = ({ zone, original }: Connection): string => `${zone}|${tupleKey(original)}`;

function agrees(wanted: CtTuple | undefined, tuple: Tuple): boolean {
  if (wanted === undefined) return true;
  return Object.entries(wanted).every(
    ([key, value]) =>
      (key === 'family' && wanted.src === undefined && wanted.dst === undefined) ||
      tuple[key as keyof CtTuple] === value,
  );
}
