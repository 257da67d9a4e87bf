import fs from 'node:fs';
import { createHmac } from 'node:crypto';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { NameScript } from '../../names/script.ts';
import { PlainContent } from '../../tree/content.ts';
import type { Content } from '../../tree/content.ts';
import type { Form, Sealing, Use } from '../../tree/sealing.ts';
import { entropy } from '../entropy.ts';
import { damaged } from './blocks.ts';
import { DraftContent } from './draft-content.ts';
import { FileCipher } from './file-cipher.ts';
import type { FileKeys } from './file-keys.ts';
import { gridOf, HEADER_BYTES, IN_PLACE, WHOLE } from './grid.ts';
import type { Grid } from './grid.ts';
import { FILE_SALT_BYTES } from '../origin-keys.ts';
import { SealedContent } from './sealed-content.ts';

/** As often as a header that does not authenticate is read again. */
const LOOKS = 16;

const NO_SALT = new Uint8Array(FILE_SALT_BYTES);

/** The files of an origin, encrypted with its keys. */
export class FileSealing implements Sealing {
  readonly #keys: FileKeys;
  readonly #names: (visible: NameScript) => NameScript;
  readonly #bucket: string;
  /** Where its files are; empty for those of the tree, which may have any name. */
  readonly #place: readonly string[];

  /**
   * @param names - how names are written as of when it is asked; by default they are visible
   * @param bucket - the bucket's directory
   */
  constructor(keys: FileKeys, names: (visible: NameScript) => NameScript = (visible) => visible, bucket = 'default', place: readonly string[] = []) {
    this.#names = names;
    this.#keys = keys;
    this.#bucket = bucket;
    this.#place = place;
  }

  bound(place: string): Sealing {
    return new FileSealing(this.#keys, this.#names, this.#bucket, [this.#bucket, place]);
  }

  stored(size: number): number {
    return requireGrid(WHOLE).stored(size);
  }

  names(visible: NameScript): NameScript {
    return this.#names(visible);
  }

  isPlain(descriptor: number): boolean {
    if (this.#keys.allowsPlain !== true) return false;
    // What is plain may begin as a header does; and one that is being written over may be read torn, but not that often.
    for (let look = 0; look < LOOKS; look += 1) {
      const head = headOf(descriptor);
      if (head.byteLength === 0) return false;
      const state = this.#authenticity(head);
      if (state !== 'damaged') return state === 'foreign';
    }
    return true;
  }

  #authenticity(head: Uint8Array): 'foreign' | 'damaged' | 'authentic' {
    try {
      const found = FileCipher.of(head, this.#keys, this.#place);
      if (typeof found !== 'string') return 'authentic';
      return found === 'foreign' ? found : 'damaged';
    } catch {
      return 'damaged';
    }
  }

  open(descriptor: number, path: string, use: Use): Content {
    if (this.isPlain(descriptor)) return new PlainContent(descriptor);
    const isShared = use === 'shared';
    return new SealedContent({
      descriptor,
      path,
      look: () => this.#look(descriptor, path) ?? (use === 'beside-readers' ? this.#nothing(path) : null),
      begin: () => this.#beginInPlace(descriptor, path, isShared),
      isAlone: use === 'alone' || use === 'beside-readers',
      isDraft: false,
    });
  }

  draft(descriptor: number, path: string, form: Form): Content {
    const begin = (): FileCipher => this.#begin(form === 'whole' ? WHOLE : IN_PLACE, entropy(FILE_SALT_BYTES), this.#keys.activeId, false);
    return new DraftContent({ descriptor, path, look: () => this.#look(descriptor, path), begin });
  }

  isInPlace(descriptor: number, path: string): boolean {
    if (this.isPlain(descriptor)) return false;
    const cipher = this.#look(descriptor, path);
    return cipher === null || cipher.header.sealed === null;
  }

  isCurrent(descriptor: number, path: string): boolean {
    if (this.isPlain(descriptor)) return false;
    const cipher = this.#look(descriptor, path);
    return cipher === null || cipher.header.key === this.#keys.activeId;
  }

  #begin(log2: number, salt: Uint8Array, key: number, hasHoles: boolean): FileCipher {
    return new FileCipher({ grid: log2, key, salt, hasHoles, sealed: null }, requireGrid(log2), this.#keys, this.#place);
  }

  /** One that is bound to a place, and that nobody writes to any more, was written whole: it has a header at least. */
  #nothing(path: string): null {
    if (this.#place.length > 0) throw damaged(path, 'which has no header');
    return null;
  }

  /** Null where nothing is in the file. */
  #look(descriptor: number, path: string): FileCipher | null {
    const head = headOf(descriptor);
    if (head.byteLength === 0) return null;
    const found = this.#cipherOf(head, path);
    if (found === 'newer') throw new HoldfastError('root-newer', `${path} was written by a later version of Holdfast.`);
    if (typeof found === 'string' || !isWhole(found, descriptor)) throw damaged(path, found === 'foreign' ? 'which is not encrypted' : 'its header');
    return found;
  }

  #cipherOf(head: Uint8Array, path: string): ReturnType<typeof FileCipher.of> {
    try {
      return FileCipher.of(head, this.#keys, this.#place);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'key-missing') throw error;
      throw new HoldfastError('key-missing', `${path} cannot be read: ${error.message}`, { cause: error });
    }
  }

  /**
   * Several may begin at once to write to an empty file: all get the same header, from what is the same as long as it is
   * empty, and is so of no other file. Then it does not matter whose is written first. Those that share a file leave
   * nothing to change in it: holes are allowed from the beginning. They take the oldest key, for another one may become
   * active while they begin.
   */
  #beginInPlace(descriptor: number, path: string, isShared: boolean): FileCipher {
    const { dev, ino, mtimeNs, size } = fs.fstatSync(descriptor, { bigint: true });
    const present = size > 0n ? this.#look(descriptor, path) : null;
    if (present !== null) return present;
    const id = isShared && this.#place.length === 0 ? this.#keys.oldestId : this.#keys.activeId;
    const key = this.#keys.fileKey(id, NO_SALT);
    const salt = createHmac('sha256', key).update(`${dev} ${ino} ${mtimeNs}`).digest().subarray(0, FILE_SALT_BYTES);
    return this.#begin(IN_PLACE, salt, id, isShared);
  }
}

/** As much as there is. */
function headOf(descriptor: number): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES);
  return head.subarray(0, fs.readSync(descriptor, head, 0, HEADER_BYTES, 0));
}

/** Whether a file that was written as a whole is as long as its header says. */
function isWhole({ header, grid }: FileCipher, descriptor: number): boolean {
  if (header.sealed === null) return grid.log2 === IN_PLACE;
  return grid.stored(header.sealed) === fs.fstatSync(descriptor).size;
}

function requireGrid(log2: number): Grid {
  const grid = gridOf(log2);
  if (grid === null) throw new Error(`no file has blocks of 2^${log2} bytes`);
  return grid;
}
