import { readValue } from '../../disk/values/read-value.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import { UncloneableError } from '../../disk/values/value-error.ts';
import { writeValueBriefly } from '../../disk/values/write-value.ts';
import { domException } from '../../webidl/dom-exception.ts';
import type { KeyPath } from '../../disk/records/record-database.ts';
import { evaluateInBytes, injectKey } from '../algorithms/key-path.ts';
import { WrittenObjects } from './written-objects.ts';

const none = {};

/** A value as it was when a request was placed. */
export class WrittenValue {
  readonly #objects: WrittenObjects;
  #bytes: Uint8Array;
  #clone: unknown = none;

  /** @throws DataCloneError, and what getters of the value throw */
  constructor(value: unknown, platform: PlatformObjects) {
    this.#objects = new WrittenObjects(platform);
    this.#bytes = write(value, this.#objects);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** What its Blobs and Files are. */
  get blobs(): readonly Blob[] {
    return this.#objects.blobs;
  }

  /** The value read from its bytes: the one in which keys are looked for. */
  get clone(): unknown {
    if (this.#clone === none) this.#clone = this.#read();
    return this.#clone;
  }

  /** What a key path leads to in the clone; undefined: nowhere. */
  at(path: KeyPath): unknown {
    return evaluateInBytes(this.#bytes, path, () => this.clone);
  }

  /** Puts a key into the clone, and so into what is written. */
  inject(path: string, key: unknown): void {
    injectKey(this.clone, path, key);
    this.#bytes = write(this.#clone, this.#objects);
  }

  #read(): unknown {
    this.#objects.rewind();
    return readValue(this.#bytes, this.#objects);
  }
}

function write(value: unknown, objects: PlatformObjects): Uint8Array {
  try {
    return writeValueBriefly(value, objects);
  } catch (error) {
    if (error instanceof UncloneableError) throw domException('DataCloneError', error.message, error);
    throw error;
  }
}
