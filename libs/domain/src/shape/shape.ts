import { detail, problem, describe, err, ok, type ProblemDetail, type Result } from '#kernel';

/**
 * What a value from outside must look like. `is` is the fast path for complete values (no allocation, so that replay
 * can afford it); `explain` says everything that is wrong, lenient about fields that have a default; `fill` puts
 * defaults in and normal forms, and may be called only on what `explain` found nothing wrong with.
 */
export interface Shape<T> {
  is(value: unknown): value is T;
  explain(value: unknown, path: string, out: ProblemDetail[]): void;
  fill(value: unknown): T;
  /** Present on a field that may be missing: `undefined` stays absent, anything else is filled in. */
  readonly absent?: { readonly value: unknown };
}

export type Of<S> = S extends Shape<infer T> ? T : never;

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** A leaf: one test, one sentence of what would be right. */
export function leaf<T>(expected: string, test: (v: unknown) => boolean, normal?: (v: T) => T): Shape<T> {
  return {
    is: (v): v is T => test(v),
    explain: (v, path, out) => {
      if (!test(v))
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not allowed here', expected));
    },
    fill: (v) => (normal === undefined ? (v as T) : normal(v as T)),
  };
}

/**
 * A leaf of which a kernel parser is the judge; its normal form is taken. `quick` may say yes without asking it, for
 * values in normal form that replay meets by the hundred thousand.
 */
export function parsed<T>(
  parse: (v: unknown, field: string) => Result<T>,
  quick: RegExp | null = null,
): Shape<T> {
  return {
    is: (v): v is T => {
      if (quick !== null && typeof v === 'string' && quick.test(v)) return true;
      const r = parse(v, '');
      return r.ok && r.value === v;
    },
    explain: (v, path, out) => {
      const r = parse(v, path);
      if (!r.ok) out.push(...r.error.details);
    },
    fill: (v) => (parse(v, '') as { value: T }).value,
  };
}

export const text = (max = 1024): Shape<string> =>
  leaf(`a text of at most ${max} characters`, (v) => typeof v === 'string' && v.length <= max);
export const filled = (max = 256): Shape<string> =>
  leaf(`a text of 1 to ${max} characters`, (v) => typeof v === 'string' && v.length > 0 && v.length <= max);
export const bool: Shape<boolean> = leaf('true or false', (v) => v === true || v === false);
export const int = (min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> =>
  leaf(
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number of ${min} or more`
      : `a whole number from ${min} to ${max}`,
    (v) => Number.isSafeInteger(v) && (v as number) >= min && (v as number) <= max,
  );
/** Milliseconds since the epoch; fractions are let through. */
export const time: Shape<number> = leaf('a time in ms since the epoch', (v) => Number.isFinite(v));

export function oneOf<const T extends string>(...values: readonly T[]): Shape<T> {
  const allowed: ReadonlySet<unknown> = new Set(values);
  return leaf(`one of ${values.join(', ')}`, (v) => allowed.has(v));
}

export function nullable<T>(inner: Shape<T>): Shape<T | null> {
  return {
    is: (v): v is T | null => v === null || inner.is(v),
    explain: (v, path, out) => (v === null ? undefined : inner.explain(v, path, out)),
    fill: (v) => (v === null ? null : inner.fill(v)),
  };
}

export function list<T>(inner: Shape<T>, max = 100_000): Shape<readonly T[]> {
  return {
    is: (v): v is readonly T[] => Array.isArray(v) && v.length <= max && v.every((x) => inner.is(x)),
    explain: (v, path, out) => {
      if (!Array.isArray(v))
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not a list', 'a list'));
      else if (v.length > max) out.push(detail(path, v.length, 'is too long', `at most ${max} entries`));
      else for (let i = 0; i < v.length; i++) inner.explain(v[i], `${path}[${i}]`, out);
    },
    fill: (v) => (v as unknown[]).map((x) => inner.fill(x)),
  };
}

export function isPlain(v: unknown): v is Record<string, unknown> {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

/** Keys and values both judged. `__proto__` is refused: as a key of a plain object it is not data. */
export function dictionary<T>(key: Shape<string>, inner: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    is: (v): v is Readonly<Record<string, T>> => {
      if (!isPlain(v)) return false;
      for (const k of Object.keys(v)) if (k === '__proto__' || !key.is(k) || !inner.is(v[k])) return false;
      return true;
    },
    explain: (v, path, out) => {
      if (!isPlain(v)) {
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not a map', 'a map'));
        return;
      }
      for (const k of Object.keys(v)) {
        if (k === '__proto__') out.push(detail(path, k, 'is not allowed as a key'));
        else {
          key.explain(k, at(path, k), out);
          inner.explain(v[k], at(path, k), out);
        }
      }
    },
    fill: (v) =>
      Object.fromEntries(Object.entries(v as object).map(([k, x]) => [key.fill(k), inner.fill(x)])) as Record<
        string,
        T
      >,
  };
}

/** May be missing, and then stays so. */
export const optional = <T>(inner: Shape<T>): Shape<T | undefined> => ({
  ...inner,
  absent: { value: undefined },
});
/** May be missing, and then is `value`. */
export const withDefault = <T>(inner: Shape<T>, value: T): Shape<T> => ({ ...inner, absent: { value } });

/** Exactly these fields: one that is not listed is refused, with the list. */
export function object<T>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const entries = Object.entries(fields) as [string, Shape<unknown>][];
  const known = new Set(entries.map(([k]) => k));
  const allowed = [...known].join(', ');
  const byName = new Map(entries);
  const mayLack = (shape: Shape<unknown>): boolean =>
    shape.absent !== undefined && shape.absent.value === undefined;
  const needed = entries.filter(([, shape]) => !mayLack(shape)).length;
  return {
    // By the fields that are there: most of those that may be missing are, and asking for them would cost the most.
    is: (v): v is T => {
      if (!isPlain(v)) return false;
      let found = 0;
      for (const k in v) {
        const shape = byName.get(k);
        if (shape === undefined) return false;
        const x = v[k];
        const may = mayLack(shape);
        if (x === undefined ? !may : !shape.is(x)) return false;
        if (!may) found++;
      }
      return found === needed;
    },
    explain: (v, path, out) => {
      if (!isPlain(v)) {
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not a map', `a map with ${allowed}`));
        return;
      }
      for (const k of Object.keys(v)) {
        if (!known.has(k)) out.push(detail(at(path, k), v[k], 'is not a known field', `one of ${allowed}`));
      }
      for (const [k, shape] of entries) {
        const x = Object.hasOwn(v, k) ? v[k] : undefined;
        if (x === undefined && shape.absent !== undefined) continue;
        shape.explain(x, at(path, k), out);
      }
    },
    fill: (v) => {
      const from = v as Record<string, unknown>;
      const filled: Record<string, unknown> = {};
      for (const [k, shape] of entries) {
        const x = from[k] === undefined ? shape.absent?.value : shape.fill(from[k]);
        if (x !== undefined) filled[k] = x;
      }
      return filled as T;
    },
  };
}

/** A union told apart by one field. */
export function tagged<T>(tag: string, cases: Readonly<Record<string, Shape<never> | Shape<T>>>): Shape<T> {
  const of = (v: unknown): Shape<T> | undefined => {
    if (!isPlain(v)) return undefined;
    const name = v[tag];
    return typeof name === 'string' && Object.hasOwn(cases, name) ? (cases[name] as Shape<T>) : undefined;
  };
  return {
    is: (v): v is T => of(v)?.is(v) ?? false,
    explain: (v, path, out) => {
      const shape = of(v);
      if (shape !== undefined) shape.explain(v, path, out);
      else if (!isPlain(v))
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not a map', 'a map'));
      else out.push(detail(at(path, tag), v[tag], 'is not known', `one of ${Object.keys(cases).join(', ')}`));
    },
    fill: (v) => (of(v) as Shape<T>).fill(v),
  };
}

/** A union told apart by which one of some fields is there. */
export function byField<T>(cases: Readonly<Record<string, Shape<never> | Shape<T>>>): Shape<T> {
  const names = Object.keys(cases);
  const of = (v: unknown): Shape<T> | undefined => {
    if (!isPlain(v)) return undefined;
    const found = names.filter((name) => v[name] !== undefined);
    return found.length === 1 ? (cases[found[0] ?? ''] as Shape<T>) : undefined;
  };
  return {
    is: (v): v is T => of(v)?.is(v) ?? false,
    explain: (v, path, out) => {
      const shape = of(v);
      if (shape !== undefined) shape.explain(v, path, out);
      else if (!isPlain(v))
        out.push(detail(path, v, v === undefined ? 'is missing' : 'is not a map', 'a map'));
      else out.push(detail(path, v, 'does not say which', `exactly one of ${names.join(', ')}`));
    },
    fill: (v) => (of(v) as Shape<T>).fill(v),
  };
}

/** The value in its normal form, or one problem with every fault in it. */
export function parseWith<T>(shape: Shape<T>, value: unknown, path = ''): Result<T> {
  const faults: ProblemDetail[] = [];
  shape.explain(value, path, faults);
  if (faults.length === 0) return ok(shape.fill(value));
  return err(problem('invalid', faults.map(describe).join('\n'), faults));
}
