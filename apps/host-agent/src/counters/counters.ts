import { type IdGenerator } from '#kernel';
import { type DirectionCounters, type RawCounters } from '#domain';
import { type MeterStats } from '#openflow';
import { type BindingKey, type Incarnation } from '../state/memory.js';

/** Ids of the six count meters of one binding. */
export interface CountMeters {
  readonly in: { readonly unicast: number; readonly multicast: number; readonly broadcast: number };
  readonly out: { readonly unicast: number; readonly multicast: number; readonly broadcast: number };
}

export interface Reading {
  readonly raw: RawCounters;
  /** The youngest meter's age. */
  readonly durationMs: number;
}

const CLASSES = ['unicast', 'multicast', 'broadcast'] as const;

export function meterIds(meters: CountMeters): readonly number[] {
  return [...CLASSES.map((c) => meters.in[c]), ...CLASSES.map((c) => meters.out[c])];
}

/** The six meters as one reading; undefined when one of them is not there. */
export function readingOf(meters: CountMeters, stats: ReadonlyMap<number, MeterStats>): Reading | undefined {
  let durationMs = Number.POSITIVE_INFINITY;
  const direction = (of: CountMeters['in']): DirectionCounters | undefined => {
    const values = CLASSES.map((c) => stats.get(of[c]));
    if (values.some((v) => v === undefined)) return undefined;
    for (const v of values) durationMs = Math.min(durationMs, v?.durationMs ?? 0);
    const at = (i: number) => ({
      packets: Number(values[i]?.packetsIn ?? 0n),
      bytes: Number(values[i]?.bytesIn ?? 0n),
    });
    return { unicast: at(0), multicast: at(1), broadcast: at(2) };
  };
  const rawIn = direction(meters.in);
  const rawOut = direction(meters.out);
  return rawIn === undefined || rawOut === undefined
    ? undefined
    : { raw: { in: rawIn, out: rawOut }, durationMs };
}

/**
 * What policy dropped: sent and not passed on, there to hand over and not handed over. Undefined where meters do not
 * tell: they stand for as long as those that count, or they began in the midst of it. The meters are read one after
 * the other while frames go by, so what was read later may be more; it is no drop below nothing.
 */
export function droppedOf(
  passing: { readonly in: number; readonly out: number } | undefined,
  { raw, durationMs }: Reading,
  stats: ReadonlyMap<number, MeterStats>,
): { readonly in: number; readonly out: number } | undefined {
  const passed = passing && stats.get(passing.in);
  const offered = passing && stats.get(passing.out);
  if (passed === undefined || offered === undefined) return undefined;
  const apart = (m: MeterStats): number => Math.abs(m.durationMs - durationMs);
  if (Math.max(apart(passed), apart(offered)) > AGE_SLACK_MS) return undefined;
  return {
    in: Math.max(0, packets(raw.in) - Number(passed.packetsIn)),
    out: Math.max(0, Number(offered.packetsIn) - packets(raw.out)),
  };
}

const packets = (of: DirectionCounters): number => CLASSES.reduce((sum, c) => sum + of[c].packets, 0);

export type Observed =
  | { readonly kind: 'opened'; readonly incarnation: Incarnation }
  | { readonly kind: 'continued'; readonly incarnation: Incarnation }
  /** The meters are not those that were counted before: the old segment ends at its last known value. */
  | { readonly kind: 'rolled'; readonly ended: Incarnation; readonly incarnation: Incarnation };

/** Slack for the switch's own clock against ours between two readings. */
const AGE_SLACK_MS = 500;

/**
 * What a reading says about the incarnation known so far: meters whose counts fell, or that are younger than when
 * they were last seen, were made anew.
 */
export function observe(
  known: Incarnation | undefined,
  reading: Reading,
  now: number,
  ids: IdGenerator,
): Observed {
  const fresh = (): Incarnation => ({
    id: ids.next(),
    last: reading.raw,
    lastDurationMs: reading.durationMs,
    lastAt: now,
    closed: false,
  });
  if (known === undefined) return { kind: 'opened', incarnation: fresh() };
  const younger = reading.durationMs + AGE_SLACK_MS < known.lastDurationMs;
  if (younger || fell(known.last, reading.raw)) return { kind: 'rolled', ended: known, incarnation: fresh() };
  return {
    kind: 'continued',
    incarnation: { ...known, last: reading.raw, lastDurationMs: reading.durationMs, lastAt: now },
  };
}

function fell(before: RawCounters, after: RawCounters): boolean {
  return (['in', 'out'] as const).some((d) =>
    CLASSES.some((c) => after[d][c].packets < before[d][c].packets || after[d][c].bytes < before[d][c].bytes),
  );
}

export type Incarnations = Map<BindingKey, Incarnation>;
