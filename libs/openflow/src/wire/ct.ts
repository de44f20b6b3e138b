import { type CtAction, type SampleAction } from '../model.js';
import { type Writer } from './bytes.js';
import { NXAST } from './constants.js';
import { fieldOfHeader, wireField } from './match.js';
import { type Reader } from './reader.js';

const FLAG = { commit: 1, force: 2 } as const;
/** Stands for no table to go on in. */
const NO_TABLE = 0xff;
const DIRECTIONS = [undefined, 'ingress', 'egress'] as const;
/** No port: OFPP_NONE in 16 bits. */
const NO_PORT = 0xffff;

/** The body of NXAST_CT after its subtype; what it writes into the connection follows as actions. */
export function writeCt(w: Writer, ct: CtAction): void {
  w.u16((ct.commit === true ? FLAG.commit : 0) | (ct.force === true ? FLAG.force : 0));
  if (typeof ct.zone === 'number') w.u32(0).u16(ct.zone);
  else w.u32(wireField(ct.zone.field).header).u16((ct.zone.offset << 6) | (ct.zone.bits - 1));
  w.u8(ct.table ?? NO_TABLE)
    .zeros(3)
    .u16(0);
}

/** The same, without what follows. */
export function readCt(reader: Reader): Omit<CtAction, 'exec'> {
  const flags = reader.u16();
  if ((flags & ~(FLAG.commit | FLAG.force)) !== 0) reader.foreign(`ct with flags ${flags}`);
  const source = reader.u32();
  const place = reader.u16();
  const table = reader.u8();
  const helper = reader.skip(3).u16();
  if (helper !== 0) reader.foreign(`ct with a helper for port ${helper}`);
  const zone =
    source === 0
      ? place
      : { field: fieldOfHeader(reader, source).name, offset: place >>> 6, bits: (place & 0x3f) + 1 };
  return {
    kind: 'ct',
    zone,
    ...((flags & FLAG.commit) === 0 ? {} : { commit: true }),
    ...((flags & FLAG.force) === 0 ? {} : { force: true }),
    ...(table === NO_TABLE ? {} : { table }),
  };
}

const isPlain = (sample: SampleAction): boolean =>
  sample.port === undefined && sample.direction === undefined;

export const sampleSubtype = (sample: SampleAction): number =>
  isPlain(sample) ? NXAST.sample : NXAST.sample3;

/** The body after its subtype. */
export function writeSample(w: Writer, sample: SampleAction): void {
  w.u16(sample.probability).u32(sample.collectorSet).u32(sample.domain).u32(sample.point);
  if (isPlain(sample)) return;
  w.u16(sample.port ?? NO_PORT)
    .u8(DIRECTIONS.indexOf(sample.direction))
    .zeros(5);
}

export function readSample(reader: Reader, third: boolean): SampleAction {
  const sample: SampleAction = {
    kind: 'sample',
    probability: reader.u16(),
    collectorSet: reader.u32(),
    domain: reader.u32(),
    point: reader.u32(),
  };
  if (!third) return sample;
  const port = reader.u16();
  const code = reader.u8();
  if (code >= DIRECTIONS.length) reader.foreign(`sample of direction ${code}`);
  const direction = DIRECTIONS[code];
  return {
    ...sample,
    ...(port === NO_PORT ? {} : { port }),
    ...(direction === undefined ? {} : { direction }),
  };
}
