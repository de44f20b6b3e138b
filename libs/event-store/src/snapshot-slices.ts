import { canonicalJson } from '#kernel';

/** Takes a digest of a text that comes in pieces. */
export interface Hasher {
  update(text: string): void;
  /** Hex. Ends it. */
  digest(): string;
}

/** `list`: some of the elements of one of a state's lists. `value`: what is no list. `whole`: a state that is no record, or an empty one. */
export type SliceLine =
  | readonly ['list', string, readonly unknown[]]
  | readonly ['value', string, unknown]
  | readonly ['whole', unknown];

/** UTF-16 units in a slice, and what it may go over by is one element: some milliseconds of work. */
const SLICE = 200_000;

const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && Object.keys(v).length > 0;

/** Between the pieces of a canonical text: what stands before a key, or before more elements of its list. */
const before = (first: boolean): string => (first ? '' : ',');

/** The canonical JSON of a state as lines, and its digest: one rendering for both. */
export function* slicesOf(json: unknown, hash: Hasher): Generator<string> {
  if (!isRecord(json)) {
    const text = canonicalJson(json);
    hash.update(text);
    yield `["whole",${text}]`;
    return;
  }
  const keys = Object.keys(json).filter((key) => json[key] !== undefined);
  keys.sort();
  hash.update('{');
  for (const [i, key] of keys.entries()) {
    const name = canonicalJson(key);
    hash.update(`${before(i === 0)}${name}:`);
    const value = json[key];
    if (Array.isArray(value)) {
      yield* listOf(name, value, hash);
      continue;
    }
    const text = canonicalJson(value);
    hash.update(text);
    yield `["value",${name},${text}]`;
  }
  hash.update('}');
}

function* listOf(name: string, list: readonly unknown[], hash: Hasher): Generator<string> {
  hash.update('[');
  let at = 0;
  do {
    const from = at;
    let text = '';
    while (at < list.length && text.length < SLICE) {
      text += before(at === from) + canonicalJson(list[at] ?? null);
      at++;
    }
    if (text !== '') hash.update(before(from === 0) + text);
    yield `["list",${name},[${text}]]`;
  } while (at < list.length);
  hash.update(']');
}

/** Puts the lines together again. The digest is taken of the text as it was read, so damage shows wherever it is. */
export class StateReader {
  #json: unknown;
  #record: Map<string, unknown> | undefined;
  #list: { readonly key: string; readonly items: unknown[] } | undefined;

  constructor(private readonly hash: Hasher) {}

  take(line: SliceLine, text: string): void {
    if (line[0] === 'whole') {
      this.hash.update(text.slice('["whole",'.length, -1));
      this.#json = line[1];
      return;
    }
    const [kind, key] = line;
    const head = `["${kind}",${canonicalJson(key)},`;
    if (!text.startsWith(head)) throw new Error(`a line of ${key} is not in the form that it is written in`);
    const list = this.#list;
    if (kind === 'value' || list?.key !== key) this.#key(key);
    if (kind === 'value') {
      this.hash.update(text.slice(head.length, -1));
      this.#record!.set(key, line[2]);
      return;
    }
    const elements = text.slice(head.length + 1, -2);
    if (list?.key === key) {
      this.hash.update(`,${elements}`);
      for (const item of line[2]) list.items.push(item);
      return;
    }
    this.hash.update(`[${elements}`);
    this.#list = { key, items: [...line[2]] };
    this.#record!.set(key, this.#list.items);
  }

  #key(key: string): void {
    this.#closeList();
    this.hash.update(this.#record === undefined ? '{' : ',');
    this.#record ??= new Map();
    this.hash.update(`${canonicalJson(key)}:`);
  }

  #closeList(): void {
    if (this.#list !== undefined) this.hash.update(']');
    this.#list = undefined;
  }

  end(): { readonly json: unknown; readonly digest: string } {
    this.#closeList();
    if (this.#record !== undefined) this.hash.update('}');
    const json = this.#record === undefined ? this.#json : Object.fromEntries(this.#record);
    return { json, digest: this.hash.digest() };
  }
}
