import fs from 'node:fs';
import type { Locator } from '../../disk/locator.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { ReadFile } from '../../disk/tree/contents.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import type { AppliedFile } from './applied.ts';
import { uploadContent } from './blobs.ts';
import { readChange } from './files-model.ts';
import { chunksOf, contentKey, sha256 } from './manifest.ts';
import type { ContentKey, Manifest } from './manifest.ts';
import type { Surroundings } from './surroundings.ts';

/** Names asked about at once. */
const QUESTION = 512;

/**
 * Sees to it that the hub has the content of changes. A capture has sent it before; but the hub may be another one
 * since, or an older copy of itself.
 */
export class Prepare {
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /**
   * To be called before operations are sent. What the hub lacks is sent from this disk; what this disk lacks too is
   * reported, and the change is sent all the same: whoever reads the file is told.
   *
   * @returns the names of the chunks that the operations name and the hub has
   * @throws HoldfastError as hubs do
   */
  async operations(operations: readonly Operation[]): Promise<readonly string[]> {
    const manifests = operations.flatMap(manifestsOf);
    const { missing, there } = await this.#lookFor(manifests);
    if (missing.size === 0) return [...there];
    for (const [locator, state] of this.#surroundings.journal.known.applied.below([])) {
      if (state.kind !== 'file' || !missing.has(state.key)) continue;
      // What was noted in a log that was not encrypted has its name from there.
      const isSent = (await this.#upload(locator)) === state.key || (await this.#upload(locator, sha256)) === state.key;
      if (isSent) missing.delete(state.key);
    }
    for (const key of missing) this.#surroundings.report(`Neither the hub nor this disk has the content ${key} of a file any more.`);
    for (const manifest of manifests) if (!missing.has(contentKey(manifest))) for (const { name } of chunksOf(manifest)) there.add(name);
    return [...there];
  }

  /**
   * To be called before the content of a file goes from this disk: a pending change may be the only other thing that
   * knows of it, and the hub may not have it.
   */
  async keep(locator: Locator, { key }: AppliedFile): Promise<void> {
    const { pending } = this.#surroundings.journal.known.replica;
    if (pending.length === 0) return;
    const own = [...pending].flatMap(({ operation }) => manifestsOf(operation)).filter((manifest) => contentKey(manifest) === key);
    if ((await this.#lookFor(own)).missing.size > 0) await this.#upload(locator);
  }

  /** Which contents the hub has not, or not whole; and which chunks it has. */
  async #lookFor(manifests: readonly Manifest[]): Promise<{ missing: Set<ContentKey>; there: Set<string> }> {
    const byChunk = new Map<string, ContentKey[]>();
    for (const manifest of manifests) {
      const key = contentKey(manifest);
      for (const { name } of chunksOf(manifest)) byChunk.set(name, [...(byChunk.get(name) ?? []), key]);
    }
    const names = [...byChunk.keys()];
    const there = new Set<string>();
    for (let at = 0; at < names.length; at += QUESTION) {
      for (const name of await this.#surroundings.blobs.hasBlobs(names.slice(at, at + QUESTION))) there.add(name);
    }
    const missing = new Set(names.filter((name) => !there.has(name)).flatMap((name) => byChunk.get(name) ?? []));
    return { missing, there };
  }

  /** What was sent, which may be another content by now; null when the file has nothing to send: it is a stub, or gone. */
  async #upload(locator: Locator, digestOf?: typeof sha256): Promise<ContentKey | null> {
    const { tree, blobs } = this.#surroundings;
    let file: ReadFile;
    try {
      file = tree.openForReading(locator, 'beside-writers');
    } catch (error) {
      if (error instanceof TreeError) return null;
      throw error;
    }
    try {
      return contentKey(await uploadContent(file, blobs, undefined, digestOf));
    } finally {
      fs.closeSync(file.descriptor);
    }
  }
}

export function manifestsOf(operation: Operation): Manifest[] {
  return (readChange(operation)?.steps ?? []).flatMap((step) => ('manifest' in step ? [step.manifest] : []));
}
