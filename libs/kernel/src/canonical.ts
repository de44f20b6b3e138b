/**
 * The one text form of a JSON value: keys sorted, no white space, absent for `undefined`. Two equal values give
 * equal text, so digests and signatures are taken over it. Throws a TypeError on what JSON can't hold.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return canonicalArray(value);
  if (typeof value === 'object') return canonicalObject(value as Record<string, unknown>);
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

function canonicalArray(list: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) {
    if (i > 0) text += ',';
    text += canonicalJson(list[i] ?? null);
  }
  return text + ']';
}

function canonicalObject(record: Record<string, unknown>): string {
  const keys = Object.keys(record);
  sortFew(keys);
  let text = '{';
  for (const key of keys) {
    const value = record[key];
    if (value === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${quote(key)}:${canonicalJson(value)}`;
  }
  return text + '}';
}

/** Insertion sort: objects have few keys, mostly in order, and the built-in one allocates for each. */
function sortFew(keys: string[]): void {
  if (keys.length > 32) {
    keys.sort();
    return;
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
}

/** What needs no escape is most of what there is, and is quoted several times as fast without asking for one. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Deep equality of JSON values: true exactly when their canonical texts are the same. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b);
  return !Array.isArray(b) && equalRecords(a as Record<string, unknown>, b as Record<string, unknown>);
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalJson(a[i] ?? null, b[i] ?? null)) return false;
  return true;
}

/** Absent and `undefined` are the same. */
function equalRecords(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let present = 0;
  for (const key of Object.keys(a)) {
    const value = a[key];
    if (value === undefined) continue;
    present++;
    if (!Object.hasOwn(b, key) || !equalJson(value, b[key])) return false;
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) present--;
  return present === 0;
}
