import { Buffer } from 'node:buffer';
import type { SqlConnection, SqlDriver, SqlFailure, SqlRow, SqlStatement, SqlValue } from './sql-driver.ts';
import { plainFiles, type ByteFiles } from './wasm-files.ts';
import type { Pointer, Sqlite3, Sqlite3Module } from './wasm-types.ts';
import { WasmVfs, type Mount } from './wasm-vfs.ts';

const VFS = 'holdfast';
const OPEN_READWRITE = 2;
const PREPARE_PERSISTENT = 1;
const ROW = 100;
const DONE = 101;
const INTEGER = 1;
const FLOAT = 2;
const TEXT = 3;
const BLOB = 4;
const MEMORY_FOR_PARAMETERS = 2 ** 16;
/** https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntlreservebytes */
const RESERVE_BYTES = 38;

/** SQLite in WebAssembly. */
export interface WasmDriver extends SqlDriver {
  /** The same on other files than plain ones. */
  on(files: ByteFiles): SqlDriver;
}

/** SQLite in WebAssembly, on files that it reaches through this realm's `fs`. */
export async function wasmDriver({ default: initialize }: Sqlite3Module): Promise<WasmDriver> {
  const ignore = (): void => undefined;
  const library = new Library(await initialize({ print: ignore, printErr: ignore }));
  const on = (files: ByteFiles): SqlDriver => ({ name: 'wasm', hasSnapshots: false, open: (path, _mode, failure) => new Connection(library, files, path, failure) });
  return { ...on(plainFiles), on };
}

/** The library, and memory in it for parameters and results: every call is over before the next. */
class Library {
  readonly sqlite: Sqlite3;
  readonly vfs: WasmVfs;
  /** Of a pointer. */
  readonly out: Pointer;
  #parameters: Pointer;
  #room = MEMORY_FOR_PARAMETERS;

  constructor(sqlite: Sqlite3) {
    this.sqlite = sqlite;
    this.vfs = new WasmVfs(sqlite, VFS);
    this.out = sqlite.wasm.alloc(8);
    this.#parameters = sqlite.wasm.alloc(this.#room);
  }

  /** Where so many bytes of parameters may be; more than usual give their memory back with `lent`. */
  lend(bytes: number): Pointer {
    if (bytes > this.#room) {
      this.sqlite.wasm.dealloc(this.#parameters);
      this.#parameters = this.sqlite.wasm.alloc(bytes);
      this.#room = bytes;
    }
    return this.#parameters;
  }

  lent(): void {
    if (this.#room === MEMORY_FOR_PARAMETERS) return;
    this.sqlite.wasm.dealloc(this.#parameters);
    this.#room = MEMORY_FOR_PARAMETERS;
    this.#parameters = this.sqlite.wasm.alloc(this.#room);
  }
}

class Connection implements SqlConnection {
  readonly library: Library;
  readonly pointer: Pointer;
  readonly #failure: SqlFailure;
  readonly #statements = new Set<Pointer>();
  readonly #mount: Mount;
  #isClosed = false;
  lastRow = 0;
  readonly hasDearBytes = false;

  constructor(library: Library, files: ByteFiles, path: string, failure: SqlFailure) {
    this.library = library;
    this.#failure = failure;
    this.#mount = library.vfs.mount(files);
    const { wasm } = library.sqlite;
    const name = wasm.allocCString(path);
    const code = wasm.exports.sqlite3_open_v2(name, library.out, OPEN_READWRITE, this.#mount.name);
    wasm.dealloc(name);
    this.pointer = wasm.peek32(library.out);
    if (code !== 0) this.#giveUp(code);
    this.exec('PRAGMA temp_store = MEMORY');
    if (files.reservedBytes > 0) this.#reserve(files.reservedBytes);
  }

  /** Matters for a database that is made only. */
  #reserve(bytes: number): void {
    const { wasm } = this.library.sqlite;
    wasm.poke32(this.library.out, bytes);
    const code = wasm.exports.sqlite3_file_control(this.pointer, 0, RESERVE_BYTES, this.library.out);
    if (code !== 0) this.#giveUp(code);
  }

  #giveUp(code: number): never {
    const error = this.error(code);
    this.close();
    throw error;
  }

  /** What a result code stands for. */
  error(code: number): Error {
    const { wasm } = this.library.sqlite;
    const message = wasm.cstrToJs(wasm.exports.sqlite3_errmsg(this.pointer)) ?? '';
    const { lastError } = this.library.vfs;
    this.library.vfs.lastError = null;
    return this.#failure(code & 0xff, new Error(message, lastError === null ? {} : { cause: lastError }));
  }

  exec(sql: string): void {
    const { wasm } = this.library.sqlite;
    const text = wasm.allocCString(sql);
    const code = wasm.exports.sqlite3_exec(this.pointer, text, 0, 0, 0);
    wasm.dealloc(text);
    if (code !== 0) throw this.error(code);
  }

  prepare(sql: string): SqlStatement {
    const { wasm } = this.library.sqlite;
    const text = wasm.allocCString(sql);
    const code = wasm.exports.sqlite3_prepare_v3(this.pointer, text, -1, PREPARE_PERSISTENT, this.library.out, 0);
    wasm.dealloc(text);
    if (code !== 0) throw this.error(code);
    const statement = wasm.peek32(this.library.out);
    this.#statements.add(statement);
    return new Prepared(this, statement);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { exports } = this.library.sqlite.wasm;
    for (const statement of this.#statements) exports.sqlite3_finalize(statement);
    exports.sqlite3_close_v2(this.pointer);
    this.#mount.release();
  }
}

class Prepared implements SqlStatement {
  readonly #connection: Connection;
  readonly #library: Library;
  readonly #pointer: Pointer;

  constructor(connection: Connection, pointer: Pointer) {
    this.#connection = connection;
    this.#library = connection.library;
    this.#pointer = pointer;
  }

  run(...parameters: SqlValue[]): number {
    const { exports } = this.#library.sqlite.wasm;
    this.#step(parameters, () => false);
    this.#connection.lastRow = Number(exports.sqlite3_last_insert_rowid(this.#connection.pointer));
    return exports.sqlite3_changes(this.#connection.pointer);
  }

  perform(...parameters: SqlValue[]): void {
    this.#step(parameters, () => false);
  }

  get(...parameters: SqlValue[]): SqlRow | undefined {
    let first: SqlRow | undefined;
    this.#step(parameters, () => {
      first = this.#row();
      return false;
    });
    return first;
  }

  all(...parameters: SqlValue[]): readonly SqlRow[] {
    const rows: SqlRow[] = [];
    this.#step(parameters, () => rows.push(this.#row()) > 0);
    return rows;
  }

  /** `onRow` says whether to go on. */
  #step(parameters: readonly SqlValue[], onRow: () => boolean): void {
    const { exports } = this.#library.sqlite.wasm;
    this.#bind(parameters);
    try {
      let code = exports.sqlite3_step(this.#pointer);
      while (code === ROW && onRow()) code = exports.sqlite3_step(this.#pointer);
      if (code !== ROW && code !== DONE) throw this.#connection.error(code);
    } finally {
      exports.sqlite3_reset(this.#pointer);
      this.#library.lent();
    }
  }

  #bind(parameters: readonly SqlValue[]): void {
    const contents = parameters.map((value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : value));
    let at = this.#library.lend(contents.reduce<number>((sum, value) => sum + (typeof value === 'object' ? (value?.length ?? 0) : 0), 0));
    const heap = this.#library.sqlite.wasm.heap8u();
    for (const [nth, value] of contents.entries()) {
      this.#bindOne(nth + 1, value, at, typeof parameters[nth] === 'string');
      if (typeof value !== 'object' || value === null) continue;
      heap.set(value, at);
      at += value.length;
    }
  }

  #bindOne(index: number, value: null | number | Uint8Array, at: Pointer, isText: boolean): void {
    const { exports } = this.#library.sqlite.wasm;
    const bind = (): number => {
      if (value === null) return exports.sqlite3_bind_null(this.#pointer, index);
      if (typeof value === 'number') return exports.sqlite3_bind_double(this.#pointer, index, value);
      const bindBytes = isText ? exports.sqlite3_bind_text : exports.sqlite3_bind_blob;
      return bindBytes(this.#pointer, index, at, value.length, 0);
    };
    const code = bind();
    if (code !== 0) throw this.#connection.error(code);
  }

  #row(): SqlRow {
    const count = this.#library.sqlite.wasm.exports.sqlite3_column_count(this.#pointer);
    const row: SqlValue[] = [];
    for (let column = 0; column < count; column++) row.push(this.#value(column));
    return row;
  }

  #value(column: number): SqlValue {
    const { exports } = this.#library.sqlite.wasm;
    switch (exports.sqlite3_column_type(this.#pointer, column)) {
      case INTEGER:
      case FLOAT:
        return exports.sqlite3_column_double(this.#pointer, column);
      case TEXT:
        return Buffer.from(this.#bytes(exports.sqlite3_column_text(this.#pointer, column), column)).toString('utf8');
      case BLOB:
        return this.#bytes(exports.sqlite3_column_blob(this.#pointer, column), column);
      default:
        return null;
    }
  }

  /** A copy. */
  #bytes(at: Pointer, column: number): Uint8Array {
    const { wasm } = this.#library.sqlite;
    return wasm.heap8u().slice(at, at + wasm.exports.sqlite3_column_bytes(this.#pointer, column));
  }
}
