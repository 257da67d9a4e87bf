import type { Edge, Edges } from './bounds.ts';
import { HEXADECIMAL_BYTES } from './hexadecimal.ts';
import type { SqlConnection, SqlStatement, SqlValue } from './sql-driver.ts';

/** How a scan's start or end is asked for; the position in this list is part of a statement's number. */
const NONE = 0;
const AT = 1;
const BEHIND = 2;
const AT_PLACE = 3;
const BEHIND_PLACE = 4;
const KINDS = 5;

function kindOf(edge: Edge | null): number {
  if (edge === null) return NONE;
  if (edge.primaryKey !== null) return edge.isOpen ? BEHIND_PLACE : AT_PLACE;
  return edge.isOpen ? BEHIND : AT;
}

/**
 * What is read of a record: its keys, of an index both; besides, the files and the value; or, of a store alone, what is
 * needed to delete it: its row, index keys and files.
 */
export const columns = { keys: 0, values: 1, remains: 2 } as const;
export type Columns = (typeof columns)[keyof typeof columns];

/** How rows are read. */
export interface ScanShape {
  readonly isForward: boolean;
  readonly isUnique: boolean;
  readonly columns: Columns;
}

/**
 * The prepared statements of one table of a connection, a store's (`r<id>`) or an index's (`i<id>`), made when they are
 * first needed. Rows begin with the key; in an index the primary key follows.
 */
export class TableStatements {
  readonly #connection: SqlConnection;
  readonly #store: string;
  readonly #index: string | null;
  readonly #atKey: (SqlStatement | undefined)[] = [];
  #valueAt: SqlStatement | undefined;
  readonly #valuesAt: (SqlStatement | undefined)[] = [];
  readonly #scans: (SqlStatement | undefined)[] = [];
  readonly #counts: (SqlStatement | undefined)[] = [];
  readonly #others = new Map<string, SqlStatement>();

  constructor(connection: SqlConnection, store: number, index: number | null) {
    this.#connection = connection;
    this.#store = `r${store}`;
    this.#index = index === null ? null : `i${index}`;
  }

  /** By a text in which `$` is the table. */
  by(sql: string): SqlStatement {
    let statement = this.#others.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql.replaceAll('$', this.#index ?? this.#store));
      this.#others.set(sql, statement);
    }
    return statement;
  }

  /** The record, or the first one of an index, that has a key; rows are those of a scan without that key. */
  atKey(what: Columns): SqlStatement {
    const rest = this.#index === null ? ' WHERE k = ? LIMIT 1' : ' WHERE i.k = ? ORDER BY i.p LIMIT 1';
    return (this.#atKey[what] ??= this.#connection.prepare(this.#select(what, false) + rest));
  }

  /** The value of that record alone, as {@link fromHexadecimal} takes it. */
  valueAt(): SqlStatement {
    return (this.#valueAt ??= this.#connection.prepare(this.#valueText(this.#connection.hasDearBytes)));
  }

  #valueText(isHexadecimal: boolean): string {
    const index = this.#index;
    const value = isHexadecimal ? `CASE WHEN s.b IS NULL AND length(s.v) <= ${HEXADECIMAL_BYTES} THEN hex(s.v) ELSE s.v END` : 's.v';
    if (index === null) return `SELECT s.b, ${value} FROM ${this.#store} AS s WHERE s.k = ?`;
    return `SELECT s.b, ${value} FROM ${index} AS i CROSS JOIN ${this.#store} AS s ON s.id = i.r WHERE i.k = ? ORDER BY i.p LIMIT 1`;
  }

  /**
   * The values of the first records of so many keys, packed as one row: lengths in the order of the keys, 0 where there is
   * no record, `-` where its value is not in it; and the bytes one after another. A null stands for no key.
   */
  valuesAt(count: number): SqlStatement {
    return (this.#valuesAt[count] ??= this.#connection.prepare(this.#valuesText(count)));
  }

  #valuesText(count: number): string {
    const index = this.#index;
    const row = index === null ? 's.k = w.column1' : `s.id = (SELECT i.r FROM ${index} AS i WHERE i.k = w.column1 ORDER BY i.p LIMIT 1)`;
    const length = "CASE WHEN s.id IS NULL THEN 0 WHEN s.b IS NULL THEN ifnull(length(s.v), '-') ELSE '-' END";
    return `SELECT group_concat(${length}), CAST(group_concat(s.v, '') AS BLOB) FROM (VALUES ${Array(count).fill('(?)').join(', ')}) AS w LEFT JOIN ${this.#store} AS s ON ${row}`;
  }

  /**
   * Rows between two edges, in order: {@link parametersOf} them, how many, and how many are passed over before. Packed, it
   * is one row: how many, whether they are all that they say, and of each column that is asked for the lengths, the bytes
   * one after another, and how many bytes that must be.
   */
  scan(edges: Edges, shape: ScanShape, isPacked = false): SqlStatement {
    const start = kindOf(edges.start);
    const end = kindOf(edges.end);
    const flags = Number(shape.isForward) + 2 * Number(shape.isUnique) + 4 * Number(isPacked) + 8 * shape.columns;
    const number = (flags * KINDS + start) * KINDS + end;
    return (this.#scans[number] ??= this.#connection.prepare(isPacked ? this.#packedText(start, end, shape) : this.#scanText(start, end, shape)));
  }

  #packedText(start: number, end: number, shape: ScanShape): string {
    const hasValues = shape.columns === columns.values;
    const wanted = [...(this.#index === null ? ['k'] : ['k', 'p']), ...(hasValues ? ['v'] : [])];
    const isWhole = hasValues ? 'count(*) = count(v) AND count(b) = 0 AND count(*) > 0' : 'count(*) > 0';
    const packed = wanted.map((column) => `group_concat(length(${column})), CAST(group_concat(${column}, '') AS BLOB), sum(length(${column}))`);
    return `SELECT count(*), ${isWhole}, ${packed.join(', ')} FROM (${this.#scanText(start, end, shape)})`;
  }

  /** How many there are between two edges in forward order. */
  count(edges: Edges): SqlStatement {
    const start = kindOf(edges.start);
    const end = kindOf(edges.end);
    const table = this.#index ?? this.#store;
    return (this.#counts[start * KINDS + end] ??= this.#connection.prepare(`SELECT count(*) FROM ${table} AS i${whereOf(start, end, true, 'i.')}`));
  }

  #scanText(start: number, end: number, shape: ScanShape): string {
    const where = whereOf(start, end, shape.isForward, this.#index === null ? '' : 'i.');
    const select = this.#select(shape.columns);
    const order = shape.isForward ? 'ASC' : 'DESC';
    if (this.#index === null) return `${select}${where} ORDER BY k ${order} LIMIT ? OFFSET ?`;
    // Of each key the lowest primary key, which in backward order is not the one that is met first.
    if (shape.isUnique) return `${select} WHERE i.k = (SELECT i.k FROM ${this.#index} AS i${where} ORDER BY i.k ${order} LIMIT 1) ORDER BY i.p LIMIT ? OFFSET ?`;
    return `${select}${where} ORDER BY i.k ${order}, i.p ${order} LIMIT ? OFFSET ?`;
  }

  #select(what: Columns, withKey = true): string {
    const index = this.#index;
    const key = withKey ? (index === null ? 'k, ' : 'i.k, ') : '';
    if (index === null) return `SELECT ${key}${OF_STORE[what]} FROM ${this.#store}`;
    // SQLite keeps the order of a CROSS JOIN: that of the index.
    if (what === columns.values) return `SELECT ${key}i.p, s.b, s.v FROM ${index} AS i CROSS JOIN ${this.#store} AS s ON s.id = i.r`;
    return `SELECT ${key}i.p FROM ${index} AS i`;
  }
}

/** Besides the key; a number where nothing else is asked for. */
const OF_STORE = ['1', 'b, v', 'id, x, b'] as const;

function whereOf(start: number, end: number, isForward: boolean, table: string): string {
  const [onward, back] = isForward ? ['>', '<'] : ['<', '>'];
  const conditions = [...conditionOf(start, onward, table), ...conditionOf(end, back, table)];
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

function conditionOf(kind: number, sign: string, table: string): readonly string[] {
  if (kind === NONE) return [];
  const operator = kind === BEHIND || kind === BEHIND_PLACE ? sign : `${sign}=`;
  return [kind === AT || kind === BEHIND ? `${table}k ${operator} ?` : `(${table}k, ${table}p) ${operator} (?, ?)`];
}

/** What a statement of {@link TableStatements.scan} takes, before how many rows. */
export function parametersOf({ start, end }: Edges): SqlValue[] {
  return [...keysOf(start), ...keysOf(end)];
}

function keysOf(edge: Edge | null): readonly SqlValue[] {
  if (edge === null) return [];
  return edge.primaryKey === null ? [edge.key] : [edge.key, edge.primaryKey];
}
