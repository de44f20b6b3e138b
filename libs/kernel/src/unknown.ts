/** An object with keys, as JSON has them: no array. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What somebody threw, in words. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
