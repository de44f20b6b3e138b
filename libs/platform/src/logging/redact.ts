/** Object keys whose values never reach a log, at any depth. */
const SECRET_KEY = /^(pass|password|secret|token|seed|authorization|cookie|nkey|privatekey|apikey)$/i;
/** Secrets inside text: `user:password@` of an address, nkey seeds, bearer tokens. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, '$1:(hidden)@'],
  [/\bS[UAO][A-Z2-7]{56}\b/g, '(hidden)'],
  [/\b(Bearer|Basic) [A-Za-z0-9._~+/=-]+/g, '$1 (hidden)'],
];
const MAX_DEPTH = 8;

export const redactText = (text: string): string =>
  SECRET_TEXT.reduce((shown, [pattern, by]) => shown.replace(pattern, by), text);

/** A copy fit for a log: secrets hidden, cycles and depths cut, bigint as text. */
export function redactValue(value: unknown, depth = 0, above: readonly object[] = []): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return '(cycle)';
  if (depth >= MAX_DEPTH) return '(deep)';
  const inside = [...above, value];
  if (value instanceof Error) return errorForLog(value, depth, inside);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1, inside));
  return redactEntries(Object.entries(value), depth, inside);
}

function errorForLog(error: Error, depth: number, above: readonly object[]): Record<string, unknown> {
  const own = redactEntries(Object.entries(error), depth, above);
  const cause = error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1, above) };
  return {
    ...own,
    ...cause,
    type: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
  };
}

function redactEntries(
  entries: readonly (readonly [string, unknown])[],
  depth: number,
  above: readonly object[],
): Record<string, unknown> {
  const shown = entries.map(([key, value]) => [
    key,
    SECRET_KEY.test(key) && value !== undefined && value !== null
      ? '(hidden)'
      : redactValue(value, depth + 1, above),
  ]);
  return Object.fromEntries(shown) as Record<string, unknown>;
}
