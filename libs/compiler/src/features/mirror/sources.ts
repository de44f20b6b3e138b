import { type Action, type FieldName } from '#openflow';
import { isolated, match, resubmit, setBits, type Wanted } from '../../pipeline/actions.js';
import { type Emitter } from '../../pipeline/emitter.js';
import { FLAG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { regions, type Range } from '../../ranges.js';
import { type MirrorCopy } from '../../resolve/plan.js';

type Fields = Readonly<Partial<Record<FieldName, Wanted>>>;

/** Where frames are copied, to which mirrors, and what becomes of them then. */
export interface Source {
  readonly table: number;
  readonly mirrors: readonly MirrorCopy[];
  readonly then: readonly Action[];
  readonly object: number;
  readonly fields?: Fields;
  /** Puts on the tag that the frame has where it is looked at, and not here. */
  readonly tag?: readonly Action[];
  /** The same of copies into a VLAN; absent: as of others. */
  readonly tagIntoVlan?: readonly Action[];
}

/** Whether a mirror wants frames of a segment. */
export const covers = ({ ranges }: MirrorCopy, segment: number): boolean =>
  ranges === undefined || ranges.some(({ from, to }) => from <= segment && segment <= to);

/** What a copy into a VLAN gets that bears no tag of its segment: MIRROR_TO makes it the mirror's. */
const BLANK_TAG: readonly Action[] = [{ kind: 'push-vlan' }];

/**
 * Frames that are all of one segment, and bear no tag of it but by `tag`: whatever tags they have are the guest's own, so
 * a mirror's comes before them.
 */
export function ofOne(source: Source, segment: number, priority: number, out: Emitter): void {
  const { mirrors, tag } = source;
  const wanted = mirrors.filter((m) => covers(m, segment));
  write({ ...source, tagIntoVlan: tag ?? BLANK_TAG }, wanted, priority, {}, out);
}

/** Frames that bear the tag of their segment, by `tag` or as they are; `by` compares with segments. */
export function ofAny(source: Source, by: (ranges: readonly Range[]) => Fields[], out: Emitter): void {
  const { mirrors } = source;
  const choosy = mirrors.filter((m) => m.ranges !== undefined);
  const always = mirrors.filter((m) => m.ranges === undefined);
  write(source, always, 100, {}, out);
  for (const { ranges, members } of regions(choosy, tagged)) {
    const all = mirrors.filter((m) => always.includes(m) || members.includes(m));
    for (const fields of by(ranges)) write(source, all, 200, fields, out);
  }
}

/** Segment 0 is that of frames without a tag. */
const tagged = ({ ranges = [] }: MirrorCopy): Range[] =>
  ranges.flatMap(({ from, to }) => (to === 0 ? [] : [{ from: Math.max(1, from), to }]));

function write(
  { table, then, object, fields = {}, tag = [], tagIntoVlan = tag }: Source,
  mirrors: readonly MirrorCopy[],
  priority: number,
  more: Fields,
  out: Emitter,
): void {
  const copies = mirrors.map(({ number, into }) => {
    const first = into === 'vlan' ? tagIntoVlan : tag;
    return isolated([...first, setBits(FLAG.mirror, number), resubmit(TABLES.MIRROR_TO)]);
  });
  out.flow(table, priority, match({ ...fields, ...more }), [...copies, ...then], object);
}
