import type { Locator } from '../../disk/locator.ts';
import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { readId, writeId } from '../../disk/replica/operation.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import type { Fingerprint } from '../../disk/tree/look.ts';
import { readLocator, writeLocator } from './locators.ts';
import type { ContentKey } from './manifest.ts';
import { PathTree } from './path-tree.ts';

export interface AppliedFile {
  readonly kind: 'file';
  readonly version: OperationId;
  readonly key: ContentKey;
  /** Of the file, or of its stub, when it had this content. */
  readonly fingerprint: Fingerprint;
}

/** What was at a place of the disk when the journal and the disk last agreed. */
export type Applied = { readonly kind: 'directory' } | AppliedFile;

export const APPLIED_DIRECTORY: Applied = { kind: 'directory' };

/** One line of an APPLIED record; null: nothing is there. */
export interface Placed {
  readonly locator: Locator;
  readonly state: Applied | null;
}

const NOTHING = 0;
const DIRECTORY = 1;
const FILE = 2;

export function encodePlaced(lines: Iterable<Placed>): Uint8Array {
  const writer = new ByteWriter();
  for (const line of lines) writePlaced(writer, line);
  return writer.finish();
}

function writePlaced(writer: ByteWriter, { locator, state }: Placed): void {
  writeLocator(writer, locator);
  if (state?.kind !== 'file') {
    writer.byte(state === null ? NOTHING : DIRECTORY);
    return;
  }
  writer.byte(FILE);
  writeId(writer, state.version);
  writer.text(state.key).text(state.fingerprint);
}

export function decodePlaced(payload: Uint8Array): Placed[] {
  const reader = new ByteReader(payload);
  const lines: Placed[] = [];
  while (!reader.atEnd) lines.push(readPlaced(reader));
  return lines;
}

function readPlaced(reader: ByteReader): Placed {
  const locator = readLocator(reader);
  switch (reader.byte()) {
    case NOTHING:
      return { locator, state: null };
    case DIRECTORY:
      return { locator, state: APPLIED_DIRECTORY };
    case FILE:
      return { locator, state: { kind: 'file', version: readId(reader), key: reader.text(), fingerprint: reader.text() } };
    default:
      throw damaged('what is at a place is of no known kind');
  }
}

/** Lines of one record of a snapshot. */
const BLOCK = 512;

/** What the journal knows of the disk. It says nothing of what others did since; a fingerprint tells that. */
export class AppliedTree {
  readonly #tree = new PathTree<Applied>();

  get(locator: Locator): Applied | undefined {
    return this.#tree.get(locator);
  }

  put({ locator, state }: Placed): void {
    if (state === null) this.#tree.delete(locator);
    else this.#tree.set(locator, state);
  }



  below(locator: Locator): Iterable<[Locator, Applied]> {
    return this.#tree.below(locator);
  }

  get isEmpty(): boolean {
    return !this.#tree.hasChildren([]);
  }

  clear(): void {
    this.#tree.clear();
  }

  *blocks(): Generator<Uint8Array> {
    let lines: Placed[] = [];
    for (const [locator, state] of this.below([])) {
      lines.push({ locator, state });
      if (lines.length < BLOCK) continue;
      yield encodePlaced(lines);
      lines = [];
    }
    if (lines.length > 0) yield encodePlaced(lines);
  }
}
