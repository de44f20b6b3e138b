/** The latest that a Date can be. Hosts say what they like of their clocks. */
const LATEST = 8.64e15;

export const iso = (ms: number): string => new Date(Math.min(ms, LATEST)).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
