import { errorCode } from '../../runtime/errors.ts';
import { wallClock } from '../../runtime/timers.ts';
import { sqlCodes } from './sql-driver.ts';
import type { ByteFile, ByteFiles } from './wasm-files.ts';
import { lockLevels, WasmLocks } from './wasm-locks.ts';
import type { Pointer, Sqlite3 } from './wasm-types.ts';

const OK = 0;
const NOT_FOUND = 12;
const SHORT_READ = 522;
const CANNOT_DELETE = 2570;
const ALREADY_DELETED = 5898;
const OPEN_CREATE = 4;
/** What SQLite may rely on: writes go in order when a process is killed, and nothing else changes when a sector is written. */
const POWERSAFE_OVERWRITE = 0x1000;
const SECTOR_BYTES = 4096;
const LONGEST_PATH = 4096;

interface Open {
  readonly path: string;
  readonly file: ByteFile;
}

/** A name under which SQLite finds files. */
export interface Mount {
  /** For `sqlite3_open_v2`. */
  readonly name: Pointer;
  release(): void;
}

/** One that SQLite knows for good; who uses it changes. */
interface Registered {
  readonly vfs: Pointer;
  readonly name: Pointer;
  files: ByteFiles | null;
  users: number;
}

/**
 * Registers files of ours with SQLite. https://www.sqlite.org/vfs.html
 *
 * All files of a connection are those that it was opened with, also of what it attaches.
 */
export class WasmVfs {
  readonly #sqlite: Sqlite3;
  readonly #name: string;
  readonly #mounts = new Map<Pointer, Registered>();
  /** What the others are copies of. */
  #first: Pointer | null = null;
  readonly #open = new Map<Pointer, Open>();
  readonly #locks = new WasmLocks();
  #methods: Pointer = 0;
  /** What the operating system said last, for whoever is told of it by a code alone. */
  lastError: unknown = null;

  /** `name`: what the names begin with. */
  constructor(sqlite: Sqlite3, name: string) {
    this.#sqlite = sqlite;
    this.#name = name;
  }

  /** To be released when nothing uses these files any more. */
  mount(files: ByteFiles): Mount {
    const all = [...this.#mounts.values()];
    const mount = all.find((each) => each.files === files) ?? all.find((each) => each.users === 0) ?? this.#register();
    mount.files = files;
    mount.users += 1;
    return { name: mount.name, release: () => void (--mount.users === 0 && (mount.files = null)) };
  }

  #filesOf(vfs: Pointer): ByteFiles {
    const files = this.#mounts.get(vfs)?.files ?? null;
    if (files === null) throw new Error('SQLite asked for files that nobody has opened.');
    return files;
  }

  #register(): Registered {
    const name = this.#sqlite.wasm.allocCString(`${this.#name}-${this.#mounts.size}`);
    const vfs = this.#first === null ? (this.#first = this.#install(name)) : this.#copy(this.#first, name);
    const mount = { vfs, name, files: null, users: 0 };
    this.#mounts.set(vfs, mount);
    return mount;
  }

  /** With the same functions: each is told by whose name it was called. */
  #copy(from: Pointer, name: Pointer): Pointer {
    const { capi, wasm } = this.#sqlite;
    const copy = new capi.sqlite3_vfs();
    wasm.heap8u().copyWithin(copy.pointer, from, from + capi.sqlite3_vfs.structInfo.sizeof);
    copy.$zName = name;
    copy.$pNext = 0;
    wasm.exports.sqlite3_vfs_register(copy.pointer, 0);
    return copy.pointer;
  }

  #install(name: Pointer): Pointer {
    const { capi, vfs } = this.#sqlite;
    const io = new capi.sqlite3_io_methods();
    io.$iVersion = 1;
    this.#methods = io.pointer;
    const own = new capi.sqlite3_vfs();
    own.$iVersion = 2;
    own.$szOsFile = capi.sqlite3_file.structInfo.sizeof;
    own.$mxPathname = LONGEST_PATH;
    own.$zName = name;
    const original = new capi.sqlite3_vfs(capi.sqlite3_vfs_find(null));
    own.$xRandomness = original.$xRandomness;
    original.dispose();
    vfs.installVfs({ io: { struct: io, methods: this.#ioMethods() }, vfs: { struct: own, methods: this.#vfsMethods() } });
    return own.pointer;
  }

  /** The result code of what may throw. */
  #try(code: number, work: () => number | void): number {
    try {
      return work() ?? OK;
    } catch (error) {
      this.lastError = error;
      return ['ENOSPC', 'EDQUOT'].includes(errorCode(error)) ? sqlCodes.full : code;
    }
  }

  #of(pointer: Pointer): Open {
    const open = this.#open.get(pointer);
    if (open === undefined) throw new Error('SQLite used a file that is not open.');
    return open;
  }

  #ioMethods(): Record<string, (...args: never[]) => number> {
    const { wasm } = this.#sqlite;
    return {
      xClose: (at: Pointer) =>
        this.#try(sqlCodes.ioError, () => {
          const { path, file } = this.#of(at);
          this.#open.delete(at);
          this.#locks.unlock(path, file, lockLevels.none);
          file.close();
        }),
      xRead: (at: Pointer, target: Pointer, length: number, offset: bigint) =>
        this.#try(sqlCodes.ioError, () => {
          const bytes = wasm.heap8u().subarray(target, target + length);
          const count = this.#of(at).file.read(bytes, Number(offset));
          if (count === length) return OK;
          bytes.fill(0, count);
          return SHORT_READ;
        }),
      xWrite: (at: Pointer, source: Pointer, length: number, offset: bigint) =>
        this.#try(sqlCodes.ioError, () => this.#of(at).file.write(wasm.heap8u().subarray(source, source + length), Number(offset))),
      xTruncate: (at: Pointer, size: bigint) => this.#try(sqlCodes.ioError, () => this.#of(at).file.truncate(Number(size))),
      xSync: (at: Pointer, _flags: number) => this.#try(sqlCodes.ioError, () => this.#of(at).file.sync()),
      xFileSize: (at: Pointer, out: Pointer) => this.#try(sqlCodes.ioError, () => void wasm.poke64(out, BigInt(this.#of(at).file.size()))),
      xLock: (at: Pointer, level: number) => {
        const { path, file } = this.#of(at);
        return this.#locks.lock(path, file, level) ? OK : sqlCodes.busy;
      },
      xUnlock: (at: Pointer, level: number) => {
        const { path, file } = this.#of(at);
        this.#locks.unlock(path, file, level);
        return OK;
      },
      xCheckReservedLock: (at: Pointer, out: Pointer) => {
        wasm.poke32(out, Number(this.#locks.isReserved(this.#of(at).path)));
        return OK;
      },
      xFileControl: (_at: Pointer, _what: number, _argument: Pointer) => NOT_FOUND,
      xSectorSize: (_at: Pointer) => SECTOR_BYTES,
      xDeviceCharacteristics: (_at: Pointer) => POWERSAFE_OVERWRITE,
    };
  }

  #vfsMethods(): Record<string, (...args: never[]) => number> {
    const { capi, wasm } = this.#sqlite;
    return {
      xOpen: (vfs: Pointer, name: Pointer, at: Pointer, flags: number, outFlags: Pointer) =>
        this.#try(sqlCodes.cannotOpen, () => {
          const path = wasm.cstrToJs(name);
          if (path === null) return sqlCodes.cannotOpen; // Temporary files are in memory.
          this.#open.set(at, { path, file: this.#filesOf(vfs).open(path, (flags & OPEN_CREATE) !== 0) });
          const struct = new capi.sqlite3_file(at);
          struct.$pMethods = this.#methods;
          struct.dispose();
          if (outFlags !== 0) wasm.poke32(outFlags, flags);
          return OK;
        }),
      xDelete: (vfs: Pointer, name: Pointer, isSynced: number) =>
        this.#try(CANNOT_DELETE, () => {
          const path = wasm.cstrToJs(name) ?? '';
          const files = this.#filesOf(vfs);
          if (!files.exists(path)) return ALREADY_DELETED;
          files.delete(path, isSynced !== 0);
          return OK;
        }),
      xAccess: (vfs: Pointer, name: Pointer, _flags: number, out: Pointer) =>
        this.#try(sqlCodes.ioError, () => void wasm.poke32(out, Number(this.#filesOf(vfs).exists(wasm.cstrToJs(name) ?? '')))),
      xFullPathname: (_vfs: Pointer, name: Pointer, length: number, out: Pointer) => (wasm.cstrncpy(out, name, length) < length ? OK : sqlCodes.cannotOpen),
      xSleep: (_vfs: Pointer, _microseconds: number) => OK,
      xCurrentTimeInt64: (_vfs: Pointer, out: Pointer) => {
        wasm.poke64(out, BigInt(Math.trunc(wallClock())) + JULIAN_OF_1970);
        return OK;
      },
      xCurrentTime: (_vfs: Pointer, out: Pointer) => {
        wasm.poke64f(out, wallClock() / 86_400_000 + 2_440_587.5);
        return OK;
      },
      xGetLastError: (_vfs: Pointer, _length: number, _out: Pointer) => OK,
    };
  }
}

/** In milliseconds, as SQLite counts days. */
const JULIAN_OF_1970 = 210_866_760_000_000n;
