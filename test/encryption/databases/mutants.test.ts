import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../journal/support/place.ts';
import { loadMutant, type Mutant } from '../../support/mutant.ts';
import { testKeys } from '../../support/sealed.ts';
import { sample } from '../files/support.ts';
import * as product from './product.ts';

type Product = Pick<typeof product, 'FileSealing' | 'SealedDatabase'>;
type Database = InstanceType<Product['SealedDatabase']>;

const PAGE = 4096;
const PAGES = 6;

/** A page as SQLite writes it, but for what it leaves to encryption. */
function page(number: number): Buffer {
  const bytes = Buffer.alloc(PAGE);
  sample(PAGE - 32, number + 1).copy(bytes);
  return bytes;
}

/** A file of a database; what uses it is given its descriptor and path. */
class Part {
  readonly path: string;

  constructor(directory: string, name: string) {
    this.path = path.join(directory, name);
    fs.writeFileSync(this.path, '');
  }

  with<T>(body: (descriptor: number, path: string) => T): T {
    const descriptor = fs.openSync(this.path, 'r+');
    try {
      return body(descriptor, this.path);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  get raw(): Buffer {
    return fs.readFileSync(this.path);
  }

  /** What is read of it with other bytes on the disk; null: an error. */
  reads(raw: Uint8Array, body: (descriptor: number, path: string) => Buffer): Buffer | null {
    const kept = fs.readFileSync(this.path);
    fs.writeFileSync(this.path, raw);
    try {
      return this.with(body);
    } catch {
      return null;
    } finally {
      fs.writeFileSync(this.path, kept);
    }
  }
}

function pagesOf(database: Database, descriptor: number, file: string): Buffer {
  const bytes = Buffer.alloc(PAGES * PAGE);
  if (database.pages(descriptor, file).read(bytes, 0) !== bytes.length) throw new Error('there is less');
  return bytes;
}

function journalOf(database: Database, length: number, descriptor: number, file: string): Buffer {
  const bytes = Buffer.alloc(length);
  if (database.journal(descriptor, file).read(bytes, 0) !== length) throw new Error('there is less');
  return bytes;
}

function blobOf(database: Database, id: number, length: number, descriptor: number, file: string): Buffer {
  const content = database.blob(id).read(descriptor, file);
  const bytes = Buffer.alloc(length);
  if (content.size() !== length || content.read(bytes, 0) !== length) throw new Error('there is another length');
  return bytes;
}

/** Two blocks of a file change places. */
function swapped(raw: Buffer, one: number, other: number): Buffer {
  const bytes = Buffer.from(raw);
  raw.copy(bytes, one * PAGE, other * PAGE, (other + 1) * PAGE);
  raw.copy(bytes, other * PAGE, one * PAGE, (one + 1) * PAGE);
  return bytes;
}

/** What is read of each part of a database, as it is on the disk or with other bytes there. */
class Trial {
  readonly whole = Buffer.concat(Array.from({ length: PAGES }, (_, number) => page(number)));
  readonly record = sample(20_000, 99);
  readonly own: Database;
  readonly other: Database;
  readonly db: Part;
  readonly journal: Part;
  readonly blob: Part;

  constructor({ FileSealing, SealedDatabase }: Product) {
    const keys = testKeys();
    const of = (name: string): Database => new SealedDatabase(new FileSealing(keys), keys.namesCipher('default'), name);
    [this.own, this.other] = [of('d'), of('e')];
    const directory = temporaryDirectory();
    [this.db, this.journal, this.blob] = ['db', 'db-journal', 'blob'].map((name) => new Part(directory, name)) as [Part, Part, Part];
    this.#write();
  }

  #write(): void {
    const { own, record } = this;
    this.db.with((descriptor, file) => own.pages(descriptor, file).write(this.whole, 0));
    this.journal.with((descriptor, file) => {
      const written = own.journal(descriptor, file);
      written.write(record, 0);
      written.flush();
    });
    this.blob.with((descriptor, file) => {
      const written = own.blob(7).write(descriptor, file);
      for (let at = 0; at < record.length; ) at += written.write(record.subarray(at), at);
      written.finish();
    });
  }

  pages(raw = this.db.raw, of = this.own): Buffer | null {
    return this.db.reads(raw, (...at) => pagesOf(of, ...at));
  }

  undo(raw = this.journal.raw, of = this.own): Buffer | null {
    return this.journal.reads(raw, (...at) => journalOf(of, this.record.length, ...at));
  }

  value(raw = this.blob.raw, id = 7): Buffer | null {
    return this.blob.reads(raw, (...at) => blobOf(this.own, id, this.record.length, ...at));
  }
}

function plainFault({ db, journal, blob, whole, record }: Trial): string | null {
  for (const [part, plain, what] of [[db, whole, 'plain database'], [journal, record, 'plain journal'], [blob, record, 'plain file']] as const) {
    for (let at = 0; at + 16 < plain.length; at += 997) if (part.raw.includes(plain.subarray(at, at + 16))) return what;
  }
  const ivs = Array.from({ length: PAGES }, (_, index) => db.raw.toString('hex', (index + 1) * PAGE, (index + 1) * PAGE + 16));
  return new Set(ivs).size === PAGES ? null : 'one nonce for two pages';
}

function placeFault(trial: Trial): string | null {
  const { db, journal, whole, record, other } = trial;
  if (trial.pages()?.equals(whole) !== true || trial.undo()?.equals(record) !== true || trial.value()?.equals(record) !== true) return 'does not work';
  if (trial.pages(swapped(db.raw, 2, 3)) !== null || trial.undo(swapped(journal.raw, 1, 2)) !== null) return 'a page in the place of another';
  if (trial.pages(db.raw, other) !== null) return 'another database';
  if (trial.undo(journal.raw, other) !== null) return 'the journal of another database';
  if (trial.undo(db.raw) !== null) return 'a database as its journal';
  return trial.value(trial.blob.raw, 8) === null ? null : 'a file of another number';
}

function flipFault(trial: Trial): string | null {
  for (const [part, read, first] of [[trial.db, trial.pages.bind(trial), PAGE], [trial.journal, trial.undo.bind(trial), 0], [trial.blob, trial.value.bind(trial), 0]] as const) {
    // What stands behind the header and before the first page is nobody's.
    for (let at = first; at < part.raw.length; at += 199) {
      const bytes = part.raw;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << at % 8);
      if (read(bytes) !== null) return 'a changed byte';
    }
  }
  return null;
}

/** The first thing that is wrong with a variant; null: nothing is. */
function firstFault(variant: Product): string | null {
  const trial = new Trial(variant);
  return plainFault(trial) ?? placeFault(trial) ?? flipFault(trial);
}

const writeSync = "process.getBuiltinModule('node:fs').writeSync";

const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'the journal of a transaction is plain', fault: 'plain journal', file: 'disk/encryption/databases/sealed-journal.ts', from: 'written += this.#content.write(this.#kept.subarray(written, this.#length), this.#start + written);', to: 'written += fs.writeSync(this.#descriptor, this.#kept, written, this.#length - written, this.#start + written);' },
  { what: 'files of values are plain', fault: 'plain file', file: 'disk/encryption/databases/sealed-database.ts', from: "write: (descriptor, path) => files.draft(descriptor, path, 'whole'),", to: `write: (descriptor, path) => Object.assign(files.draft(descriptor, path, 'whole'), { write: (bytes, at) => ${writeSync}(descriptor, bytes, 0, bytes.length, at), finish() {} }),` },
  { what: 'pages have no number', fault: 'a page in the place of another', file: 'disk/encryption/files/file-cipher.ts', from: 'this.#place.writeUInt32LE(block % 2 ** 32, 0);', to: '' },
  { what: 'databases have no name', fault: 'another database', file: 'disk/encryption/databases/sealed-database.ts', from: 'this.#name = JSON.stringify(name);', to: 'this.#name = typeof name;' },
  { what: 'a journal is not told from a database', fault: 'a database as its journal', file: 'disk/encryption/databases/sealed-database.ts', from: "this.#bound('journal')", to: "this.#bound('database')" },
  { what: 'files have no number', fault: 'a file of another number', file: 'disk/encryption/databases/sealed-database.ts', from: 'onceWith(this.#bound(`file ${id}`))', to: 'onceWith(this.#bound(`file ${typeof id}`))' },
  { what: 'pages are not authenticated', fault: 'a page in the place of another', file: 'disk/encryption/files/file-cipher.ts', from: '      decipher.final();\n', to: '' },
  { what: 'a nonce is used again', fault: 'one nonce for two pages', file: 'disk/encryption/files/ivs.ts', from: 'return mixer.update(input);', to: 'return new Uint8Array(input.length);' },
];

test('the product itself has no fault', () => {
  expect(firstFault(product)).toBeNull();
});

test.each(mutants)('it would be noticed if $what', async ({ fault, ...mutant }) => {
  expect(firstFault(await loadMutant<Product>(new URL('product.ts', import.meta.url), mutant))).toBe(fault);
});
