/**
 * A deep copy, as plain JSON values, without secrets: for anything that is shown to people. The only secret of
 * events, state and documents is the hand-over token, which stands as `token` beside the migration it belongs to.
 */
export function redact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(redact);
  const own = value as Record<string, unknown> & { toJSON?: unknown };
  if (typeof own.toJSON === 'function') return redact((own.toJSON as () => unknown).call(value));
  const secret = 'token' in own && 'migration' in own;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(own)) if (!(secret && key === 'token')) copy[key] = redact(item);
  return copy;
}
