import { type History, type HistoryLedger, type HistoryMigration } from './replay.js';

/** Fields that are left out are not looked at; a RegExp is held against a text. */
export type Expected<T> = {
  readonly [K in keyof T]?: T[K] extends string | null
    ? T[K] | RegExp
    : NonNullable<T[K]> extends readonly unknown[]
      ? T[K]
      : NonNullable<T[K]> extends object
        ? Expected<NonNullable<T[K]>> | Extract<T[K], null>
        : T[K];
};

export interface ExpectedGuest {
  /** Every migration of it, from its first on; as many as are given. */
  readonly migrations?: readonly Expected<HistoryMigration>[];
  /** All its vNICs together, as far as segments of them are closed. */
  readonly ledger?: Expected<GuestLedger>;
  /** Where its ports are active in the end; null: nowhere. */
  readonly host?: string | null;
}

export type GuestLedger = Omit<HistoryLedger, 'port' | 'owner'>;

/** By the guest's name: the `vm-id` of its interfaces. */
export type ExpectedHistory = Readonly<Record<string, ExpectedGuest>>;

/**
 * Throws when the history is not as expected, with everything that differs. What must always hold (see
 * `History.broken`) is expected of every history. Works with any test runner, since it only throws.
 *
 * ```ts
 * expectHistory(history, {
 *   'web-1': {
 *     migrations: [{ destination: 'bravo', phase: 'completed', handedOver: { exact: true } }],
 *     ledger: { in: 2000, inexact: 0 },
 *     host: 'bravo',
 *   },
 * });
 * ```
 */
export function expectHistory(history: History, expected: ExpectedHistory = {}): void {
  const found = [
    ...history.broken.map(({ revision, what }) => `at revision ${revision}: ${what}`),
    ...Object.entries(expected).flatMap(([owner, guest]) => differencesOf(history, owner, guest)),
  ];
  if (found.length === 0) return;
  const of = `the history of ${history.commits.length} commits, up to revision ${history.revision}`;
  throw new Error([`${of}, is not as expected:`, ...found.map((line) => `  ${line}`)].join('\n'));
}

function differencesOf(history: History, owner: string, expected: ExpectedGuest): readonly string[] {
  const ports = [...history.state.ports.values()].filter((p) => p.connectee?.owner === owner);
  const migrations = history.migrations.filter((m) => m.owner === owner);
  if (ports.length === 0 && migrations.length === 0) return [`${owner}: no such guest; ${guestsOf(history)}`];
  const hosts = [...new Set(ports.flatMap((p) => p.active?.host ?? []))].sort();
  return [
    ...(expected.migrations === undefined ? [] : inMigrations(owner, migrations, expected.migrations)),
    ...(expected.ledger === undefined
      ? []
      : differences(`${owner}: ledger`, ledgerOf(history, owner), expected.ledger)),
    ...(expected.host === undefined
      ? []
      : differences(`${owner}: host`, hosts.join(', ') || null, expected.host)),
  ];
}

function inMigrations(
  owner: string,
  found: readonly HistoryMigration[],
  expected: readonly Expected<HistoryMigration>[],
): readonly string[] {
  const each = found.slice(0, expected.length).flatMap((m, i) => {
    const what = `${owner}, migration ${i + 1} (${m.id}, ${m.source} to ${m.destination})`;
    const lines = differences(what, m, expected[i]);
    return lines.length === 0 ? [] : [...lines, `    it went ${storyOf(m)}`];
  });
  if (found.length === expected.length) return each;
  const all = found.map((m) => `    ${m.id}, ${m.source} to ${m.destination}: ${storyOf(m)}`);
  return [...each, `${owner}: ${found.length} migrations, expected ${expected.length}:`, ...all];
}

const storyOf = ({ phases, reason }: HistoryMigration): string =>
  `${phases.join(' → ')}${reason === null ? '' : ` (${reason})`}`;

function ledgerOf({ ledgers }: History, owner: string): GuestLedger {
  const mine = ledgers.filter((l) => l.owner === owner);
  const sum = (of: (l: HistoryLedger) => number): number => mine.reduce((n, l) => n + of(l), 0);
  return {
    in: sum((l) => l.in),
    out: sum((l) => l.out),
    segments: sum((l) => l.segments),
    open: sum((l) => l.open),
    inexact: sum((l) => l.inexact),
  };
}

function guestsOf({ state }: History): string {
  const names = new Set([...state.ports.values()].flatMap((p) => p.connectee?.owner ?? []));
  return names.size === 0 ? 'there are none' : `there are ${[...names].sort().join(', ')}`;
}

/** Of everything that is expected, what is not so; each with its path. */
function differences(path: string, found: unknown, expected: unknown): readonly string[] {
  if (expected === undefined) return [];
  if (expected instanceof RegExp)
    return typeof found === 'string' && expected.test(found) ? [] : [differs(path, found, String(expected))];
  if (!isFields(expected) || !isFields(found))
    return show(found) === show(expected) ? [] : [differs(path, found, show(expected))];
  return Object.entries(expected).flatMap(([key, value]) =>
    differences(`${path}${path.endsWith(')') ? ': ' : '.'}${key}`, found[key], value),
  );
}

const differs = (path: string, found: unknown, expected: string): string =>
  `${path} is ${show(found)}, expected ${expected}`;

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string =>
  Array.isArray(value)
    ? value.join(' → ')
    : typeof value === 'string'
      ? value
      : (JSON.stringify(value) ?? 'not there');
