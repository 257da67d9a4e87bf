import type { DatabaseSealing, PagedFile, Sealing, WrittenOnce } from '../../tree/sealing.ts';
import { SIV_BYTES, type AesSiv } from '../aes-siv.ts';
import { toBase32 } from '../files/base32.ts';
import { forgetZeros } from './forget-zeros.ts';
import { SealedJournal } from './sealed-journal.ts';
import { SealedPages } from './sealed-pages.ts';

const DESCRIPTION = 'indexeddb/description';
const DATABASE = Buffer.from('database');

/** The files of one database of an encrypted origin. */
export class SealedDatabase implements DatabaseSealing {
  readonly component: string;
  readonly #files: Sealing;
  /** A name may be no text: this is. */
  readonly #name: string;

  /** `names`: what names of the bucket are encrypted with. */
  constructor(files: Sealing, names: AesSiv, name: string) {
    this.#files = files;
    this.#name = JSON.stringify(name);
    this.component = componentOf(names, name);
  }

  #bound(what: string): Sealing {
    return this.#files.bound(`indexeddb/${what} of ${this.#name}`);
  }

  pages(descriptor: number, path: string): PagedFile {
    return new SealedPages(this.#bound('database').open(descriptor, path, 'beside-writers'));
  }

  journal(descriptor: number, path: string): PagedFile {
    forgetZeros(descriptor);
    return new SealedJournal(descriptor, this.#bound('journal').open(descriptor, path, 'shared'));
  }

  get description(): WrittenOnce {
    return descriptionsWith(this.#files);
  }

  isCurrent(which: 'description' | 'database' | number, descriptor: number, path: string): boolean {
    const file = which === 'description' ? this.#files.bound(DESCRIPTION) : this.#bound(which === 'database' ? which : `file ${which}`);
    return file.isCurrent(descriptor, path);
  }

  blob(id: number): WrittenOnce {
    return onceWith(this.#bound(`file ${id}`));
  }
}

/** What says which database a directory is, for who does not know it yet. */
export function descriptionsWith(files: Sealing): WrittenOnce {
  return onceWith(files.bound(DESCRIPTION));
}

function onceWith(files: Sealing): WrittenOnce {
  return {
    read: (descriptor, path) => files.open(descriptor, path, 'beside-readers'),
    write: (descriptor, path) => files.draft(descriptor, path, 'whole'),
  };
}

/** A code of the name, which says nothing of it, and is as long for every name. */
function componentOf(names: AesSiv, name: string): string {
  const plain = Buffer.from(name, 'utf16le');
  const sealed = new Uint8Array(SIV_BYTES + plain.length);
  names.seal(plain, sealed, 0, [DATABASE]);
  return toBase32(sealed.subarray(0, SIV_BYTES));
}
