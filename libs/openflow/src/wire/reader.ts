import { DecodeFault } from './bytes.js';

/** Reads big-endian values of one frame between two offsets; reading past the end is a DecodeFault. */
export class Reader {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
    readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.at;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.step(1));
  }

  u16(): number {
    return this.view.getUint16(this.step(2));
  }

  u32(): number {
    return this.view.getUint32(this.step(4));
  }

  u64(): bigint {
    return this.view.getBigUint64(this.step(8));
  }

  uint(width: number): bigint {
    let value = 0n;
    let rest = width;
    for (; rest >= 4; rest -= 4) value = (value << 32n) | BigInt(this.u32());
    for (; rest > 0; rest -= 1) value = (value << 8n) | BigInt(this.u8());
    return value;
  }

  /** A copy, so that nobody holds on to the receive buffer. */
  raw(count: number): Uint8Array {
    const start = this.step(count);
    const copy = new Uint8Array(count);
    copy.set(this.bytes.subarray(start, start + count));
    return copy;
  }

  skip(count: number): this {
    this.step(count);
    return this;
  }

  /** A reader of the next `count` bytes, which this one is past then. */
  sub(count: number): Reader {
    const start = this.step(count);
    return new Reader(this.bytes, start, start + count);
  }

  /** Past the padding that follows `length` bytes; a last element may leave it out. */
  pad8(length: number): void {
    this.skip(Math.min((8 - (length & 7)) & 7, this.left));
  }

  /** A 16-bit length that counts from `start`, at least `least`, not past the end. */
  lengthFrom(start: number, least: number, what: string): number {
    const at = this.at;
    const length = this.u16();
    if (length < least) throw new DecodeFault(at, `${what} length ${length} is under ${least}`);
    if (start + length > this.end) throw new DecodeFault(at, `${what} length ${length} runs past the end`);
    return length;
  }

  fail(reason: string): never {
    throw new DecodeFault(this.at, reason);
  }

  /** Well-formed, but not in our model. */
  foreign(reason: string): never {
    throw new DecodeFault(this.at, reason, true);
  }

  private step(count: number): number {
    const start = this.at;
    if (count < 0 || start + count > this.end) {
      throw new DecodeFault(start, `${count} bytes wanted, ${this.end - start} left`);
    }
    this.at = start + count;
    return start;
  }
}
