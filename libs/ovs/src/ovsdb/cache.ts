import { describe, detail, problem, type Problem, type ProblemDetail } from '#kernel';
import { isUuid } from './atoms.js';
import { READERS, type Rows } from './rows.js';
import { columnKind, EPHEMERAL, isTable, TABLES, type RawRow, type TableName } from './schema.js';
import { applyDiff } from './diff.js';

interface Entry<T extends TableName> {
  readonly raw: RawRow;
  readonly row: Rows[T];
  readonly faults: readonly ProblemDetail[];
}

type Tables = { [T in TableName]: Map<string, Entry<T>> };

/** The watched rows as last told by the database, each checked and typed once. */
export class RowCache {
  private tables: Tables = emptyTables();
  private readonly strays: ProblemDetail[] = [];

  /**
   * A new connection tells everything anew. A database that was restarted has forgotten what the switch said of its
   * devices, and the switch comes back to it seconds later: until then they are taken to be as they were.
   */
  renew(updates: unknown): void {
    const before = this.tables.Interface;
    this.tables = emptyTables();
    this.strays.length = 0;
    this.apply(updates);
    const now = [...this.tables.Interface];
    if (now.some(([, { raw }]) => EPHEMERAL.some((column) => column in raw))) return;
    for (const [uuid, { raw }] of now) {
      const said = entries(before.get(uuid)?.raw).filter(([column]) => EPHEMERAL.includes(column));
      this.store('Interface', uuid, { ...raw, ...Object.fromEntries(said) });
    }
  }

  get<T extends TableName>(table: T, uuid: string): Rows[T] | undefined {
    return this.tables[table].get(uuid)?.row;
  }

  *rows<T extends TableName>(table: T): IterableIterator<readonly [uuid: string, row: Rows[T]]> {
    for (const [uuid, entry] of this.tables[table]) yield [uuid, entry.row];
  }

  /** What is wrong now with rows of the database, a problem a row. */
  problems(): readonly Problem[] {
    const found: Problem[] = this.strays.map((fault) => problem('invalid', describe(fault), [fault]));
    for (const table of TABLES) {
      for (const [uuid, { faults, row }] of this.tables[table]) {
        if (faults.length === 0) continue;
        const name = 'name' in row ? row.name : uuid;
        found.push(problem('invalid', `${table} ${name}: ${faults.map(describe).join('; ')}`, faults));
      }
    }
    return found;
  }

  /**
   * Takes the table updates of `update2` (initial, insert, modify, delete) or of `update` (old, new). Returns the
   * tables and columns that changed, as `Table.column`; what is not understood is kept as a problem.
   */
  apply(updates: unknown): ReadonlySet<string> {
    const touched = new Set<string>();
    for (const [table, rows] of entries(updates)) {
      if (!isTable(table)) {
        this.stray(table, rows, 'is not a table that was asked for');
        continue;
      }
      for (const [uuid, update] of entries(rows)) {
        if (!isUuid(uuid)) this.stray(table, uuid, 'is not a row id');
        else if (!isRowUpdate(update)) this.stray(`${table}.${uuid}`, update, 'is not a row update');
        else this.applyRow(table, uuid, update, touched);
      }
    }
    return touched;
  }

  private applyRow(table: TableName, uuid: string, update: RawRow, touched: Set<string>): void {
    const known = this.tables[table].get(uuid);
    const next = nextRow(table, known?.raw, update);
    const columns = new Set([...Object.keys(next ?? {}), ...Object.keys(known?.raw ?? {})]);
    for (const column of columns) {
      if (!same(next?.[column], known?.raw[column])) touched.add(`${table}.${column}`);
    }
    if (next === undefined) this.tables[table].delete(uuid);
    else this.store(table, uuid, next);
  }

  private store<T extends TableName>(table: T, uuid: string, raw: RawRow): void {
    const faults: ProblemDetail[] = [];
    const row = READERS[table](raw, (fault) => faults.push(fault));
    this.tables[table].set(uuid, { raw, row, faults });
  }

  private stray(field: string, value: unknown, reason: string): void {
    if (this.strays.length < 100) this.strays.push(detail(field.slice(0, 100), value, reason));
  }
}

/** The row after the update; undefined when it is gone. */
function nextRow(table: TableName, before: RawRow | undefined, update: RawRow): RawRow | undefined {
  const whole = update['initial'] ?? update['insert'] ?? update['new'];
  if (isRow(whole)) {
    // `new` of the older `update` leaves nothing out; `initial` and `insert` leave out columns of default value.
    return Object.fromEntries(entries(whole).filter(([column]) => columnKind(table, column) !== undefined));
  }
  const diff = update['modify'];
  if (!isRow(diff)) return undefined;
  const after: Record<string, unknown> = { ...before };
  for (const [column, change] of entries(diff)) {
    const kind = columnKind(table, column);
    if (kind !== undefined) after[column] = applyDiff(kind, after[column], change);
  }
  return after;
}

const isRow = (value: unknown): value is RawRow =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One of the forms of `update2` or `update`; a deletion says `delete` or has an `old` alone. */
function isRowUpdate(update: unknown): update is RawRow {
  if (!isRow(update)) return false;
  const forms = ['initial', 'insert', 'new', 'modify'].filter((form) => update[form] !== undefined);
  return forms.length > 0
    ? forms.every((form) => isRow(update[form]))
    : 'delete' in update || 'old' in update;
}

const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

function entries(value: unknown): [string, unknown][] {
  return isRow(value) ? Object.entries(value) : [];
}

function emptyTables(): Tables {
  return {
    Open_vSwitch: new Map(),
    Bridge: new Map(),
    Port: new Map(),
    Interface: new Map(),
    Controller: new Map(),
    Mirror: new Map(),
    IPFIX: new Map(),
    sFlow: new Map(),
    Flow_Sample_Collector_Set: new Map(),
  };
}
