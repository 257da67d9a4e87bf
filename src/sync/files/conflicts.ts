import type { Locator } from '../../disk/locator.ts';
import { damaged } from '../../disk/replica/byte-reader.ts';
import type { ByteReader } from '../../disk/replica/byte-reader.ts';
import type { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { isSameOperation, readId, writeId } from '../../disk/replica/operation.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import { readLocator, writeLocator } from './locators.ts';
import { readManifest, writeManifest } from './manifest.ts';
import type { Losses, Version } from './table.ts';

/** Two regions wrote one file, and neither had seen the other's version. */
export interface Conflict {
  /** Counts the conflicts of an origin, from 1. */
  readonly serial: number;
  readonly locator: Locator;
  /** What has lost its place. The hub still has its content. */
  readonly lost: Version;
  /** The region whose version has the place; null when it is a directory's. */
  readonly winner: string | null;
}

/** Beyond these the oldest are dropped: a list that nobody reads must not grow for ever. */
const KEPT = 256;
const KEPT_DIGESTS_BYTES = 2 ** 22;

/** The versions that lost their place while nobody had seen them, oldest first. */
export class Conflicts implements Losses {
  /** Hears of each one as it comes about. */
  listener: ((conflict: Conflict) => void) | null = null;
  #items: Conflict[] = [];
  #serial = 0;

  get items(): readonly Conflict[] {
    return this.#items;
  }

  lost(locator: Locator, lost: Version, to: Version | null): void {
    this.#serial += 1;
    const conflict = { serial: this.#serial, locator, lost, winner: to?.region ?? null };
    this.#items.push(conflict);
    while (this.#items.length > KEPT || this.#bytes() > KEPT_DIGESTS_BYTES) this.#items.shift();
    this.listener?.(conflict);
  }

  #bytes(): number {
    return this.#items.reduce((bytes, { lost }) => bytes + lost.manifest.chunks.length, 0);
  }

  /** What a later version was made on has come back with it. */
  seen(locator: Locator, version: OperationId): void {
    if (this.#items.length === 0) return;
    const path = locator.join('/');
    this.#items = this.#items.filter(({ lost, locator: at }) => !isSameOperation(lost.id, version) || at.join('/') !== path);
  }

  clear(): void {
    this.#items = [];
    this.#serial = 0;
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#serial).integer(this.#items.length);
    for (const { serial, locator, lost, winner } of this.#items) {
      writer.integer(serial).byte(winner === null ? 0 : 1).text(winner ?? '');
      writeLocator(writer, locator);
      writeVersion(writer, lost);
    }
  }

  replace({ serial, items }: SavedConflicts): void {
    this.#serial = serial;
    this.#items = [...items];
  }
}

interface SavedConflicts {
  /** Of the newest there ever was. */
  readonly serial: number;
  readonly items: readonly Conflict[];
}

export function readConflicts(reader: ByteReader): SavedConflicts {
  const items: Conflict[] = [];
  const serial = reader.integer();
  const count = reader.integer();
  if (count > KEPT) throw damaged('there are more conflicts than are kept');
  while (items.length < count) items.push(readConflict(reader));
  return { serial, items };
}

function readConflict(reader: ByteReader): Conflict {
  const serial = reader.integer();
  const hasWinner = reader.byte() === 1;
  const region = reader.text();
  const locator = readLocator(reader);
  return { serial, locator, winner: hasWinner ? region : null, lost: readVersion(reader) };
}

export function writeVersion(writer: ByteWriter, { id, region, manifest }: Version): void {
  writeId(writer, id);
  writer.text(region);
  writeManifest(writer, manifest);
}

export function readVersion(reader: ByteReader): Version {
  return { id: readId(reader), region: reader.text(), manifest: readManifest(reader) };
}
