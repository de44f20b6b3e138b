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

/** Deep equality of JSON values. */
export function equalJson(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
