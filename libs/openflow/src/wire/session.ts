import { type Writer } from './bytes.js';
import { HEADER_BYTES } from './constants.js';
import { type AsyncMasks, type BundleControl, type BundleFlags, type OfMessage } from './messages.js';
import { type Reader } from './reader.js';

type Features = Extract<OfMessage, { kind: 'features-reply' }>;
type Control = Extract<OfMessage, { kind: 'bundle-control' }>;

const VERSION_BITMAP = 1;
const CONTROLS: readonly BundleControl[] = ['open', 'close', 'commit', 'discard'];
/** Properties of the asynchronous configuration come in pairs: as slave, as master. */
const ASYNC = { packetIn: 0, portStatus: 2, flowRemoved: 4, requestForward: 10 } as const;

export function writeHello(w: Writer, versions: readonly number[]): void {
  const words = Math.floor(Math.max(0, ...versions) / 32) + 1;
  const bits = new Array<number>(words).fill(0);
  for (const v of versions) bits[v >>> 5] = ((bits[v >>> 5] ?? 0) | (1 << (v & 31))) >>> 0;
  const start = w.position;
  w.u16(VERSION_BITMAP).u16(4 + 4 * words);
  for (const word of bits) w.u32(word);
  w.align8(start);
}

/** The versions of the bitmap; a peer that sends none speaks what its header says. */
export function readHello(reader: Reader, version: number): OfMessage {
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 4, 'hello element');
    const bitmap = reader.sub(length - 4);
    reader.pad8(length);
    if (type !== VERSION_BITMAP) continue;
    const versions: number[] = [];
    for (let base = 0; bitmap.left >= 4; base += 32) {
      const word = bitmap.u32();
      for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) versions.push(base + bit);
    }
    return { kind: 'hello', versions };
  }
  return { kind: 'hello', versions: [version] };
}

export function writeFeatures(w: Writer, f: Features): void {
  w.u64(f.datapathId).u32(f.buffers).u8(f.tables).u8(f.auxiliary).u16(0).u32(f.capabilities).u32(0);
}

export function readFeatures(reader: Reader): Features {
  const datapathId = reader.u64();
  const buffers = reader.u32();
  const tables = reader.u8();
  const auxiliary = reader.u8();
  const capabilities = reader.skip(2).u32();
  return { kind: 'features-reply', datapathId, buffers, tables, auxiliary, capabilities };
}

export function writeAsync(w: Writer, masks: AsyncMasks): void {
  for (const name of Object.keys(ASYNC) as (keyof typeof ASYNC)[]) {
    for (const role of [0, 1])
      w.u16(ASYNC[name] + role)
        .u16(8)
        .u32(masks[name]);
  }
}

export function readAsync(reader: Reader): OfMessage {
  const masks = { packetIn: 0, portStatus: 0, flowRemoved: 0, requestForward: 0 };
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16() & ~1;
    const value = reader.sub(reader.lengthFrom(start, 8, 'property') - 4);
    if (type === ASYNC.packetIn) masks.packetIn = value.u32();
    else if (type === ASYNC.portStatus) masks.portStatus = value.u32();
    else if (type === ASYNC.flowRemoved) masks.flowRemoved = value.u32();
    else if (type === ASYNC.requestForward) masks.requestForward = value.u32();
  }
  return { kind: 'set-async', ...masks };
}

const flagBits = (flags: BundleFlags): number => (flags.atomic ? 1 : 0) | (flags.ordered ? 2 : 0);
const readFlags = (bits: number): BundleFlags => ({ atomic: (bits & 1) !== 0, ordered: (bits & 2) !== 0 });

export function writeBundleControl(w: Writer, control: Control): void {
  const type = CONTROLS.indexOf(control.control) * 2 + (control.reply ? 1 : 0);
  w.u32(control.bundle).u16(type).u16(flagBits(control.flags));
}

export function readBundleControl(reader: Reader): Control {
  const bundle = reader.u32();
  const type = reader.u16();
  const control = CONTROLS[type >>> 1] ?? reader.fail(`bundle control ${type} does not exist`);
  const flags = readFlags(reader.u16());
  return { kind: 'bundle-control', bundle, control, reply: (type & 1) !== 0, flags };
}

/** What stands before the inner message; its own header follows. */
export function writeBundleHead(w: Writer, bundle: number, flags: BundleFlags): void {
  w.u32(bundle).u16(0).u16(flagBits(flags));
}

export function readBundleHead(reader: Reader): { bundle: number; flags: BundleFlags; inner: Reader } {
  const bundle = reader.u32();
  const flags = readFlags(reader.skip(2).u16());
  if (reader.left < HEADER_BYTES) reader.fail('the bundle holds no message');
  return { bundle, flags, inner: reader };
}
