import { err, invalid, ok, type Result } from '#kernel';
import { HEADER_BYTES } from './constants.js';

/**
 * Cuts a byte stream into OpenFlow messages, however it was chunked. A length under that of the header can't be
 * stepped over, so after an error the connection is to be dropped: every later push says the same.
 */
export class Framer {
  private chunks: Uint8Array[] = [];
  private held = 0;
  private broken: Result<Uint8Array[]> | undefined;

  /** Bytes that wait for the rest of their message: at most 65,535. */
  get pending(): number {
    return this.held;
  }

  /** Takes the next chunk; gives the messages that it completed, each with its header. */
  push(chunk: Uint8Array): Result<Uint8Array[]> {
    if (this.broken !== undefined) return this.broken;
    // A Node Buffer's slice shares its memory; a plain view's copies.
    if (chunk.length > 0) this.chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    this.held += chunk.length;
    const frames: Uint8Array[] = [];
    // Joining for every chunk would cost the square of a large message's chunks: first see whether it is complete.
    while (this.held >= HEADER_BYTES) {
      const length = (this.byteAt(2) << 8) | this.byteAt(3);
      if (length < HEADER_BYTES) {
        this.broken = err(
          invalid('openflow.length', length, 'is shorter than a header', `at least ${HEADER_BYTES}`),
        );
        this.chunks = [];
        this.held = 0;
        return frames.length > 0 ? ok(frames) : this.broken;
      }
      if (this.held < length) break;
      const joined = this.join();
      frames.push(joined.slice(0, length));
      this.chunks = length < joined.length ? [joined.subarray(length)] : [];
      this.held -= length;
    }
    return ok(frames);
  }

  private byteAt(index: number): number {
    let rest = index;
    for (const chunk of this.chunks) {
      if (rest < chunk.length) return chunk[rest] ?? 0;
      rest -= chunk.length;
    }
    return 0;
  }

  private join(): Uint8Array {
    const [first] = this.chunks;
    if (this.chunks.length === 1 && first !== undefined) return first;
    const joined = new Uint8Array(this.held);
    let at = 0;
    for (const chunk of this.chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.chunks = [joined];
    return joined;
  }
}
