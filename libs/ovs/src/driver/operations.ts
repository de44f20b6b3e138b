import { invalid, ProblemError } from '#kernel';
import { ovsdbMap, ovsdbSet } from '../ovsdb/atoms.js';
import { MAX_BRIDGE_NAME } from './config.js';
import { isMark } from './names.js';

/** Mutations that leave the map with these entries, without the stale keys, and else as it is. */
export function replaceEntries(
  column: string,
  entries: Readonly<Record<string, string>>,
  stale: readonly string[],
) {
  // An insert does not overwrite a key that is there: it has to go first.
  return [
    [column, 'delete', ovsdbSet([...new Set([...stale, ...Object.keys(entries)])])],
    [column, 'insert', ovsdbMap(entries)],
  ];
}

export function checkName(field: string, name: string): void {
  if (name.length >= 1 && name.length <= MAX_BRIDGE_NAME && /^[A-Za-z0-9_.-]+$/.test(name)) return;
  throw new ProblemError(
    invalid(field, name, 'is no device name', `1 to ${MAX_BRIDGE_NAME} letters, digits and _ . -`),
  );
}

export function checkMarks(marks: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const foreign = Object.keys(marks).find((key) => !isMark(key));
  if (foreign === undefined) return marks;
  throw new ProblemError(invalid('marks', foreign, 'is not a key of ours', 'keys that start with portolan-'));
}
