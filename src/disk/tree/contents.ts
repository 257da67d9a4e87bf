import fs from 'node:fs';
import type { SealedBytes } from '../../runtime/disk-range.ts';
import type { Locator } from '../locator.ts';
import type { PlaceKeys } from '../place.ts';
import { PlainContent } from './content.ts';
import type { Content } from './content.ts';
import { sealedBytes } from './in-pieces.ts';
import { closeQuietly, openPlain, openStub, READ, READ_WRITE } from './open-plain.ts';
import { copyContent } from './reseal.ts';
import type { Form, Sealing, Use } from './sealing.ts';
import { mayBeStub, readManifest, stubSize, writeStub } from './stub.ts';
import type { Swap, SwapFolder } from './swap.ts';
import { TreeError } from './tree-error.ts';

/** A file that is open. The caller closes the descriptor with `fs.closeSync`. */
export interface ReadFile {
  readonly descriptor: number;
  readonly content: Content;
}

/**
 * How the contents of a tree's files are opened, measured and written anew, encrypted or not. It knows no names: paths
 * are those of files that were found to be plain ones of ours.
 */
export class Contents {
  readonly #sealing: Sealing | undefined;
  readonly #swaps: SwapFolder;
  readonly #keys: Pick<PlaceKeys, 'keys'> | undefined;

  /** `keys`: those of stubs. */
  constructor(sealing: Sealing | undefined, swaps: SwapFolder, keys: Pick<PlaceKeys, 'keys'> | undefined) {
    this.#keys = keys;
    this.#sealing = sealing;
    this.#swaps = swaps;
  }

  open(path: string, flags: number, use: Use): ReadFile {
    const descriptor = openPlain(path, flags);
    return { descriptor, content: this.#sealing?.open(descriptor, path, use) ?? new PlainContent(descriptor) };
  }

  /** Opens a file for being written to in place. @throws TreeError 'not-in-place' for one that was written as a whole */
  openInPlace(path: string, use: Use, locator: Locator): ReadFile {
    const file = this.open(path, READ_WRITE, use);
    try {
      if (this.#sealing?.isInPlace(file.descriptor, path) === false) throw new TreeError('not-in-place', locator);
      return file;
    } catch (error) {
      closeQuietly(file.descriptor);
      throw error;
    }
  }

  sizeOf(path: string, { size }: Pick<fs.Stats, 'size'>): number {
    return this.#sealing === undefined ? size : this.#with(path, 'beside-writers', ({ content }) => content.size());
  }

  /** The same of what may be a stub, which has the bytes that it takes. */
  sizeAt(path: string, stats: fs.Stats): number {
    const stub = this.#sealing !== undefined && mayBeStub(stats) ? openStub(path) : null;
    if (stub === null) return this.sizeOf(path, stats);
    closeQuietly(stub);
    return stats.size;
  }

  /** What a `File` has to know of an encrypted file. */
  source(path: string): { readonly state?: fs.Stats; readonly sealed?: SealedBytes } {
    const sealing = this.#sealing;
    if (sealing === undefined) return {};
    return this.#with(path, 'beside-writers', ({ descriptor, content }) => ({
      state: fs.fstatSync(descriptor),
      sealed: sealedBytes(sealing, path, 'beside-writers', content.size()),
    }));
  }

  /** A copy under the key of now; null where a copy of the bytes is as good. */
  current(path: string): Promise<Swap | null> {
    return this.#anew(path, 'whole', (sealing, descriptor) => sealing.isCurrent(descriptor, path));
  }

  /** The same of what may be a stub, which stays one. */
  async currentOf(path: string, stats: fs.Stats): Promise<Swap | null> {
    const stub = mayBeStub(stats) ? openStub(path) : null;
    if (stub === null) return this.current(path);
    try {
      const manifest = this.#keys?.keys.resealStub(readManifest(stub)) ?? null;
      return manifest === null ? null : this.#stub(manifest);
    } finally {
      closeQuietly(stub);
    }
  }

  #stub(manifest: Uint8Array): Swap {
    const swap = this.#swaps.create();
    try {
      swap.extent.cover(stubSize(manifest));
      writeStub(swap, manifest);
      swap.isFinished = true;
      return swap;
    } catch (error) {
      swap.discard();
      throw error;
    }
  }

  /** A copy that can be written to in place; null where the file can. */
  inPlace(path: string): Promise<Swap | null> {
    return this.#anew(path, 'in-place', (sealing, descriptor) => sealing.isInPlace(descriptor, path));
  }

  async #anew(path: string, form: Form, isGood: (sealing: Sealing, descriptor: number) => boolean): Promise<Swap | null> {
    const sealing = this.#sealing;
    if (sealing === undefined) return null;
    const file = this.open(path, READ, 'beside-readers');
    try {
      if (isGood(sealing, file.descriptor)) return null;
      const swap = this.#swaps.create(form);
      await copyContent(file.content, swap);
      return swap;
    } finally {
      fs.closeSync(file.descriptor);
    }
  }

  #with<T>(path: string, use: Use, body: (file: ReadFile) => T): T {
    const file = this.open(path, READ, use);
    try {
      return body(file);
    } finally {
      fs.closeSync(file.descriptor);
    }
  }
}
