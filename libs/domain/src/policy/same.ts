import { equalJson } from '#kernel';

/** Equality of two values of a field either of which may be absent; absent is not the same as any value. */
export function same(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalJson(a, b);
}
