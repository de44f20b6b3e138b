import { describe, detail, err, ok, problem, type Problem, type ProblemDetail, type Result } from '#kernel';
import { checkOf } from './check.js';
import { explain } from './explain.js';
import { type Schema } from './schema.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one wire type: text or bytes of JSON → checked value. Never throws. */
export type Decoder<T> = (input: string | Uint8Array) => Result<T>;

const refuse = (d: ProblemDetail, what: string): Problem =>
  problem('invalid', `${what}: ${describe(d)}`, [d]);

/**
 * A decoder of `what` for a schema, taking up to `maxBytes`. Fields that the schema does not know are refused: a
 * reader that skipped what it does not understand would claim to carry out what it can't.
 */
export function decoder<T>(what: string, schema: Schema<T>, maxBytes: number, full: Full = asIs): Decoder<T> {
  const read = checker<T>(what, schema, full);
  return (input) => {
    if (input.length > maxBytes)
      return err(
        refuse(detail('', `${input.length} bytes`, 'is too large', `up to ${maxBytes} bytes`), what),
      );
    const json = parseJson(input, what);
    return json.ok ? read(json.value) : json;
  };
}

/** Says in full what a short form, or an older writer, left out. Never throws. */
type Full = (value: unknown) => unknown;
const asIs: Full = (value) => value;

/** As `decoder`, for a value that is parsed already. */
export function checker<T>(
  what: string,
  schema: Schema<T>,
  full: Full = asIs,
): (value: unknown) => Result<T> {
  return (written) => {
    const value = full(written);
    if (checkOf(schema)(value)) return ok(value as T);
    return err(refuse(explain(schema, value), what));
  };
}

/** JSON text or UTF-8 bytes as a value of unknown shape. */
export function parseJson(input: string | Uint8Array, what: string): Result<unknown> {
  try {
    return ok(JSON.parse(typeof input === 'string' ? input : utf8.decode(input)) as unknown);
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'is not JSON' : 'is not UTF-8 text';
    const shown = typeof input === 'string' ? input.slice(0, 100) : `${input.length} bytes`;
    return err(refuse(detail('', shown, reason, 'one JSON value'), what));
  }
}
