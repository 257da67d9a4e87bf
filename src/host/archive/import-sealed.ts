import fs from 'node:fs';
import path from 'node:path';
import { freshParts, isSafePath, type FreshPart, type ListedPlace } from '../../disk/backup/listing.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { archiveError } from './archive-error.ts';
import type { SealedHead } from './layout.ts';
import { wholeJson } from './read-entry.ts';
import type { TarEntry } from './tar-reader.ts';

/** Writes an encrypted origin as it was on the disk into a directory that nobody else sees. */
export class SealedImport {
  readonly directory: string;
  readonly head: SealedHead;

  constructor(directory: string, head: SealedHead) {
    this.directory = directory;
    this.head = head;
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** `relative`: below the origin's directory. @throws HoldfastError archive-damaged; the operating system's error */
  async take(relative: string, entry: TarEntry): Promise<void> {
    if (!isSafePath(relative)) throw archiveError(`the name of its entry '${entry.path}' is none that a file can have`);
    const target = path.join(this.directory, relative);
    fs.mkdirSync(entry.kind === 'directory' ? target : path.dirname(target), { recursive: true, mode: 0o700 });
    if (entry.kind === 'directory') return;
    const descriptor = fs.openSync(target, 'wx', 0o600);
    try {
      for await (const chunk of entry.content()) for (let at = 0; at < chunk.length; ) at += fs.writeSync(descriptor, chunk, at);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** @throws HoldfastError archive-damaged where it is no encrypted origin */
  complete(): void {
    if (!isEncrypted(this.directory)) throw archiveError('an encrypted origin in it has no keys');
    for (const { path: place, parts } of this.head.places) for (const part of parts) fs.mkdirSync(path.join(this.directory, place, part), { recursive: true, mode: 0o700 });
  }
}

/** @throws HoldfastError archive-damaged */
export async function sealedHead(entry: TarEntry): Promise<SealedHead> {
  const { foldsNames, places } = await wholeJson(entry);
  if (typeof foldsNames === 'boolean' && Array.isArray(places) && places.every(isPlace)) return { foldsNames, places };
  throw archiveError(`its entry '${entry.path}' makes no sense`);
}

function isPlace(value: unknown): value is ListedPlace {
  const { path: at, parts } = (value ?? {}) as { path?: unknown; parts?: unknown };
  return isSafePath(at) && Array.isArray(parts) && parts.every((part) => freshParts.includes(part as FreshPart));
}
