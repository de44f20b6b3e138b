/**
 * Why bytes could not be read. Thrown inside the codec only, where every read can fail and a Result at each would
 * cost more than the reading; `decode` turns it into a Result at the edge.
 */
export class DecodeFault extends Error {
  constructor(
    /** Byte offset within the frame. */
    readonly offset: number,
    readonly reason: string,
    /** The bytes are well-formed but say something that the model has no word for. */
    readonly foreign = false,
  ) {
    super(`at byte ${offset}: ${reason}`);
  }
}

/** Appends big-endian values to a buffer that grows. */
export class Writer {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  get position(): number {
    return this.at;
  }

  u8(value: number): this {
    this.room(1);
    this.view.setUint8(this.at, value);
    this.at += 1;
    return this;
  }

  u16(value: number): this {
    this.room(2);
    this.view.setUint16(this.at, value);
    this.at += 2;
    return this;
  }

  u32(value: number): this {
    this.room(4);
    this.view.setUint32(this.at, value);
    this.at += 4;
    return this;
  }

  u64(value: bigint): this {
    this.room(8);
    this.view.setBigUint64(this.at, value);
    this.at += 8;
    return this;
  }

  /** `value`, which must fit, in `width` bytes. */
  uint(value: bigint, width: number): this {
    // Up to six bytes a number is exact, and far cheaper than a bigint.
    switch (width) {
      case 1:
        return this.u8(Number(value));
      case 2:
        return this.u16(Number(value));
      case 4:
        return this.u32(Number(value));
      case 6: {
        const number = Number(value);
        return this.u16(Math.floor(number / 0x100000000)).u32(number);
      }
      case 8:
        return this.u64(value);
    }
    for (let shift = width * 8; shift > 0; shift -= 16) {
      this.u16(Number((value >> BigInt(shift - 16)) & 0xffffn));
    }
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  zeros(count: number): this {
    this.room(count);
    this.bytes.fill(0, this.at, this.at + count);
    this.at += count;
    return this;
  }

  /** Zeros until the bytes written since `start` are a multiple of eight. */
  align8(start: number): this {
    return this.zeros((8 - ((this.at - start) & 7)) & 7);
  }

  /** Writes into what was written before: lengths known only at the end. */
  patch16(position: number, value: number): this {
    this.view.setUint16(position, value);
    return this;
  }

  patch8(position: number, value: number): this {
    this.view.setUint8(position, value);
    return this;
  }

  /** Forgets what was written, keeps the room. */
  reset(): this {
    this.at = 0;
    return this;
  }

  /** A copy of what was written since `start`. */
  take(start = 0): Uint8Array {
    return this.bytes.slice(start, this.at);
  }

  private room(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
