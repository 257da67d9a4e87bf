import path from 'node:path';
import { isDirectory } from '../directories.ts';
import type { Space } from '../journal/space.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import { buildBucket } from '../root/bucket-directory.ts';
import { addPart } from '../root/late-part.ts';
import type { Root } from '../root/root.ts';
import { type CoordinatorPlace, STORAGE } from './coordinator-place.ts';

/** The bucket within a coordinator's directory: made when the coordinator first uses more than its map. */
export class NestedBucket implements BucketPlace {
  readonly #root: Root;
  readonly #find: () => CoordinatorPlace;
  #found: CoordinatorPlace | undefined;

  /** `find`: where the coordinator is; asked for when that is needed, which it never is by most. */
  constructor(root: Root, find: () => CoordinatorPlace) {
    this.#root = root;
    this.#find = find;
  }

  get #coordinator(): CoordinatorPlace {
    return (this.#found ??= this.#find());
  }

  get path(): string {
    return path.join(this.#coordinator.path, STORAGE);
  }

  get encryption(): PlaceKeys | undefined {
    return this.#root.vaults === undefined ? undefined : this.#coordinator.storageEncryption;
  }

  get space(): Space {
    return this.#root.space;
  }

  ensure(): void {
    if (isDirectory(this.path)) return;
    addPart(this.#coordinator, { name: STORAGE, isStrict: this.#root.durability === 'strict', build: (draft) => buildBucket(draft, this.encryption) });
  }

  lost(): void {
    this.#coordinator.lost();
  }
}
