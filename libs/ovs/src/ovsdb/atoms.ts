import { detail, type ProblemDetail } from '#kernel';

/** Longest text, most entries of a map or set that are taken from the switch: more is a fault of whoever wrote it. */
export const MAX_TEXT = 4_096;
export const MAX_ENTRIES = 1_024;
/** Every VLAN. */
export const MAX_SET = 4_096;
export const MAX_REFERENCES = 100_000;

/** Takes what is wrong with one value; the value is then treated as absent. */
export type Report = (detail: ProblemDetail) => void;

export type OvsdbAtom = string | number | boolean | readonly ['uuid' | 'named-uuid', string];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isUuid = (text: unknown): text is string => typeof text === 'string' && UUID.test(text);
export const uuidRef = (uuid: string): readonly ['uuid', string] => ['uuid', uuid];
export const namedUuid = (name: string): readonly ['named-uuid', string] => ['named-uuid', name];
export const ovsdbSet = (atoms: readonly OvsdbAtom[]) => ['set', atoms] as const;
export const ovsdbMap = (entries: Readonly<Record<string, string>>) =>
  ['map', Object.entries(entries)] as const;

/** Elements of a value that is a set by its schema: one atom stands for a set of one. */
export function setElements(value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value[0] === 'set')
    return Array.isArray(value[1]) ? (value[1] as unknown[]) : [];
  return value === undefined ? [] : [value];
}

/** Pairs of a value that is a map by its schema; anything else holds none. */
export function mapPairs(value: unknown): readonly (readonly unknown[])[] {
  if (!Array.isArray(value) || value[0] !== 'map' || !Array.isArray(value[1])) return [];
  return (value[1] as unknown[]).filter((pair): pair is unknown[] => Array.isArray(pair));
}

/** Text, or absent for an empty set. */
export function readText(value: unknown, field: string, report: Report): string | undefined {
  const [only, more] = setElements(value);
  if (only === undefined) return undefined;
  if (typeof only !== 'string' || more !== undefined) return refuse(report, field, value, 'is not text');
  if (only.length > MAX_TEXT) return refuse(report, field, only, `is longer than ${MAX_TEXT} characters`);
  return only;
}

/** A whole number from `min` to `max`, or absent for an empty set. */
export function readInteger(
  value: unknown,
  field: string,
  range: readonly [min: number, max: number],
  report: Report,
): number | undefined {
  const [only, more] = setElements(value);
  if (only === undefined) return undefined;
  if (typeof only !== 'number' || !Number.isInteger(only) || more !== undefined) {
    return refuse(report, field, value, 'is not a whole number');
  }
  if (only < range[0] || only > range[1]) {
    report(detail(field, only, 'is out of range', `${range[0]} to ${range[1]}`));
    return undefined;
  }
  return only;
}

/** Texts of a set, in order; what is no text is left out and reported. */
export function readTexts(value: unknown, field: string, report: Report): readonly string[] {
  return sorted(setElements(value), field, report, (e): e is string => {
    return typeof e === 'string' && e.length <= MAX_TEXT;
  });
}

/** The same of whole numbers. */
export function readIntegers(value: unknown, field: string, report: Report): readonly number[] {
  return [...sorted(setElements(value), field, report, (e): e is number => Number.isInteger(e))].sort(
    (a, b) => a - b,
  );
}

function sorted<T>(
  elements: readonly unknown[],
  field: string,
  report: Report,
  isOne: (element: unknown) => element is T,
): readonly T[] {
  const found: T[] = [];
  for (const element of elements) {
    if (found.length >= MAX_SET) {
      report(detail(field, found.length, 'has too many elements', `at most ${MAX_SET}`));
      break;
    }
    if (isOne(element)) found.push(element);
    else report(detail(field, element, 'is of the wrong type, or too long'));
  }
  return found.sort();
}

/** A map of text to text. Entries that are not text, or too long, or too many, are left out and reported. */
export function readMap(value: unknown, field: string, report: Report): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!Array.isArray(value) || value[0] !== 'map') {
    report(detail(field, value, 'is not a map'));
    return {};
  }
  // No prototype: `__proto__` is an ordinary key of somebody's external_ids.
  const map = Object.create(null) as Record<string, string>;
  let count = 0;
  for (const [key, text] of mapPairs(value)) {
    if (typeof key !== 'string' || typeof text !== 'string')
      report(detail(field, [key, text], 'is not a pair of texts'));
    else if (key.length + text.length > MAX_TEXT) {
      report(detail(`${field}:${key.slice(0, 64)}`, text, `is longer than ${MAX_TEXT} characters`));
    } else if (++count > MAX_ENTRIES) {
      report(detail(field, count, 'has too many entries', `at most ${MAX_ENTRIES}`));
      return map;
    } else map[key] = text;
  }
  return map;
}

/** The uuids that a column of references holds. */
export function readReferences(value: unknown, field: string, report: Report): readonly string[] {
  const found: string[] = [];
  for (const element of setElements(value)) {
    if (found.length >= MAX_REFERENCES) {
      report(detail(field, found.length, 'has too many references', `at most ${MAX_REFERENCES}`));
      break;
    }
    if (Array.isArray(element) && element[0] === 'uuid' && isUuid(element[1])) found.push(element[1]);
    else report(detail(field, element, 'is not a reference'));
  }
  return found;
}

/** A property that is there only if there is a value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

function refuse(report: Report, field: string, value: unknown, reason: string): undefined {
  report(detail(field, value, reason));
}
