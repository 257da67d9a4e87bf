/*
 * What is used of `@sqlite.org/sqlite-wasm`, an optional peer. https://sqlite.org/wasm/doc/trunk/api-index.md
 */

/** An address in the library's memory. */
export type Pointer = number;

interface Struct {
  readonly pointer: Pointer;
  dispose(): void;
}

interface VfsStruct extends Struct {
  $iVersion: number;
  $szOsFile: number;
  $mxPathname: number;
  $zName: Pointer;
  $xRandomness: Pointer;
  $pNext: Pointer;
}

interface Methods {
  readonly struct: Struct;
  readonly methods: Record<string, (...args: never[]) => number>;
}

/** SQLite's C functions. https://www.sqlite.org/c3ref/funclist.html */
export interface WasmExports {
  sqlite3_open_v2(path: Pointer, out: Pointer, flags: number, vfs: Pointer): number;
  sqlite3_close_v2(database: Pointer): number;
  sqlite3_exec(database: Pointer, sql: Pointer, callback: 0, argument: 0, message: 0): number;
  sqlite3_prepare_v3(database: Pointer, sql: Pointer, length: number, flags: number, out: Pointer, tail: 0): number;
  sqlite3_finalize(statement: Pointer): number;
  sqlite3_step(statement: Pointer): number;
  sqlite3_reset(statement: Pointer): number;
  sqlite3_clear_bindings(statement: Pointer): number;
  sqlite3_bind_null(statement: Pointer, index: number): number;
  sqlite3_bind_double(statement: Pointer, index: number, value: number): number;
  sqlite3_bind_blob(statement: Pointer, index: number, bytes: Pointer, length: number, destructor: Pointer): number;
  sqlite3_bind_text(statement: Pointer, index: number, bytes: Pointer, length: number, destructor: Pointer): number;
  sqlite3_column_count(statement: Pointer): number;
  sqlite3_column_type(statement: Pointer, column: number): number;
  sqlite3_column_double(statement: Pointer, column: number): number;
  sqlite3_column_blob(statement: Pointer, column: number): Pointer;
  sqlite3_column_text(statement: Pointer, column: number): Pointer;
  sqlite3_column_bytes(statement: Pointer, column: number): number;
  sqlite3_changes(database: Pointer): number;
  sqlite3_last_insert_rowid(database: Pointer): bigint;
  sqlite3_errmsg(database: Pointer): Pointer;
  sqlite3_vfs_register(vfs: Pointer, isDefault: 0): number;
  sqlite3_file_control(database: Pointer, name: 0, what: number, argument: Pointer): number;
}

export interface Sqlite3 {
  readonly capi: {
    readonly sqlite3_io_methods: new () => Struct & { $iVersion: number };
    readonly sqlite3_vfs: { new (pointer?: Pointer): VfsStruct; readonly structInfo: { readonly sizeof: number } };
    readonly sqlite3_file: { new (pointer: Pointer): Struct & { $pMethods: Pointer }; readonly structInfo: { readonly sizeof: number } };
    sqlite3_vfs_find(name: string | null): Pointer;
  };
  readonly vfs: { installVfs(methods: { readonly io: Methods; readonly vfs: Methods }): void };
  readonly wasm: {
    readonly exports: WasmExports;
    heap8u(): Uint8Array;
    alloc(bytes: number): Pointer;
    dealloc(at: Pointer): void;
    allocCString(text: string): Pointer;
    cstrToJs(at: Pointer): string | null;
    cstrncpy(to: Pointer, from: Pointer, length: number): number;
    peek32(at: Pointer): number;
    poke32(at: Pointer, value: number): void;
    poke64(at: Pointer, value: bigint): void;
    poke64f(at: Pointer, value: number): void;
  };
}

export interface Sqlite3Module {
  readonly default: (options: object) => Promise<Sqlite3>;
}
