import { err, messageOf, ok, problem, type Result } from '#kernel';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (byte: number) => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number) => byte === 0x7d || byte === 0x5d;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

export interface JsonStreamLimits {
  /** Bytes of one object. */
  readonly maxBytes: number;
  /** Nesting of objects and arrays. */
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: JsonStreamLimits = { maxBytes: 64 * 1024 * 1024, maxDepth: 64 };

/**
 * Cuts a byte stream of concatenated JSON objects (the framing of OVSDB and unixctl: nothing stands between two
 * objects) into parsed objects. Only braces and strings are tracked to find the end; JSON.parse judges the rest. After
 * a problem the stream has lost its place: hang up.
 */
export class JsonStream {
  private held: Buffer[] = [];
  private heldBytes = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;

  constructor(private readonly limits: JsonStreamLimits = DEFAULT_LIMITS) {}

  /** The objects that this chunk completed, in order. */
  push(chunk: Buffer): Result<readonly Record<string, unknown>[]> {
    const objects: Record<string, unknown>[] = [];
    let start = this.depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.depth === 0) {
        if (isSpace(byte)) continue;
        if (byte !== 0x7b) return refuse(`stream has byte 0x${byte.toString(16)} where a JSON object begins`);
        start = at;
        this.depth = 1;
      } else if (this.step(byte)) {
        const parsed = this.complete(chunk.subarray(start, at + 1));
        if (!parsed.ok) return parsed;
        objects.push(parsed.value);
        start = -1;
      } else if (this.depth > this.limits.maxDepth) {
        return refuse(`JSON nests deeper than ${this.limits.maxDepth}`);
      }
    }
    if (start >= 0) this.hold(chunk.subarray(start));
    if (this.heldBytes > this.limits.maxBytes)
      return refuse(`JSON object exceeds ${this.limits.maxBytes} bytes`);
    return ok(objects);
  }

  /** Takes one byte inside an object; true when it ends the object. */
  private step(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
      return false;
    }
    if (byte === QUOTE) this.inString = true;
    else if (isOpening(byte)) this.depth++;
    else if (isClosing(byte)) this.depth--;
    return this.depth === 0;
  }

  private hold(part: Buffer): void {
    // The chunk may be a view of a pooled buffer that the socket reuses: keep a copy.
    this.held.push(Buffer.from(part));
    this.heldBytes += part.length;
  }

  private complete(last: Buffer): Result<Record<string, unknown>> {
    if (this.heldBytes + last.length > this.limits.maxBytes) {
      return refuse(`JSON object exceeds ${this.limits.maxBytes} bytes`);
    }
    const text = this.held.length === 0 ? last.toString() : Buffer.concat([...this.held, last]).toString();
    this.held = [];
    this.heldBytes = 0;
    try {
      return ok(JSON.parse(text) as Record<string, unknown>);
    } catch (cause) {
      return refuse(`malformed JSON: ${messageOf(cause)}`);
    }
  }
}

function refuse(message: string): Result<never> {
  return err(problem('invalid', message));
}
