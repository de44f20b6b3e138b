/**
 * The part of JSON schema that the wire types use, as plain data: `check.ts` judges by it and `explain.ts` speaks from
 * it. A library for all of JSON schema costs every process 12 MB and half a second of its start.
 */
export interface Node {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  /** What would be right: `expected` in a problem. */
  readonly description?: string;
  /** Of an object: every field that it may have, and those that it must. */
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  /** Of a map: the one pattern of its keys. */
  readonly keys?: { readonly pattern: string; readonly value: Node; readonly max: number };
  /** Of a list: what each is, or in a tuple what each place is. */
  readonly items?: Node | readonly Node[];
  readonly maxItems?: number;
  readonly anyOf?: readonly Node[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

declare const OF: unique symbol;

/** A node that says which type it describes. Nothing of `OF` is there at run time. */
export interface Schema<T> extends Node {
  readonly [OF]?: T;
}
/** Of a field that may be missing. */
export interface Optional<T> {
  readonly optional: Schema<T>;
}
export type Static<S> = S extends Schema<infer T> ? T : never;

export type Fields = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;
type Missable<F> = { [K in keyof F]: F[K] extends Optional<unknown> ? K : never }[keyof F];
type Shaped<F> = {
  readonly [K in Exclude<keyof F, Missable<F>>]: F[K] extends Schema<infer T> ? T : never;
} & { readonly [K in Missable<F>]?: F[K] extends Optional<infer T> ? T : never };

export const literal = <const T extends string | number | boolean>(value: T): Schema<T> => ({ const: value });
export const bool: Schema<boolean> = { type: 'boolean' };
export const nothing: Schema<null> = { type: 'null' };
export const text = (
  limits: Pick<Node, 'pattern' | 'minLength' | 'maxLength' | 'description'>,
): Schema<string> => ({ type: 'string', ...limits });
export const number = (minimum: number): Schema<number> => ({ type: 'number', minimum });
export const whole = <T = number>(
  minimum: number,
  description: string,
  maximum = Number.MAX_SAFE_INTEGER,
): Schema<T> => ({ type: 'integer', minimum, maximum, description });
export const code = <T extends string>(values: readonly T[], description: string): Schema<T> => ({
  type: 'string',
  enum: values,
  description,
});

export const union = <const S extends readonly Schema<unknown>[]>(
  branches: S,
): Schema<Static<S[number]>> => ({
  anyOf: branches,
});
/** One of some words. */
export const oneOf = <const T extends string>(...words: readonly T[]): Schema<T> => ({
  anyOf: words.map((word) => literal(word)),
});
export const nullable = <T>(schema: Schema<T>): Schema<T | null> => ({ anyOf: [schema, nothing] });

export const optional = <T>(schema: Schema<T>): Optional<T> => ({ optional: schema });
/** An object of just these fields. */
export function shape<const F extends Fields>(fields: F): Schema<Shaped<F>> {
  const properties: Record<string, Node> = {};
  const required: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if ('optional' in field) properties[name] = field.optional;
    else {
      properties[name] = field;
      required.push(name);
    }
  }
  return { type: 'object', properties, required };
}
export const list = <T>(items: Schema<T>, maxItems: number): Schema<readonly T[]> => ({
  type: 'array',
  items,
  maxItems,
});
export const tuple = <const S extends readonly Schema<unknown>[]>(
  items: S,
): Schema<{ readonly [K in keyof S]: Static<S[K]> }> => ({ type: 'array', items });

/** A map with checked keys. */
export const mapOf = <V>(
  pattern: string,
  value: Schema<V>,
  description: string,
): Schema<Readonly<Record<string, V>>> => ({
  type: 'object',
  keys: { pattern, value, max: 10_000 },
  description,
});
