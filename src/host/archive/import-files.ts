import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { FileSystemWritableFileStream } from '../../file-system/writable-file-stream.ts';
import { archiveError } from './archive-error.ts';
import type { ImportArea } from './import-bucket.ts';
import { locatorOfPath } from './layout.ts';
import { piecesOfSparse, sparseOf } from './sparse.ts';
import type { TarEntry } from './tar-reader.ts';

interface Opened {
  readonly name: string;
  readonly handle: FileSystemDirectoryHandle;
}

/** Imports files and directories, each file whole or not at all. */
export class FileImport {
  readonly #area: Pick<ImportArea, 'getDirectory'>;
  /** The directory of the entry before, and those above it: entries of one directory come one after another. */
  #opened: Opened[] = [];

  constructor(area: Pick<ImportArea, 'getDirectory'>) {
    this.#area = area;
  }

  async take(path: string, entry: TarEntry): Promise<void> {
    const locator = locatorOfPath(path);
    if (locator === null || (locator.length === 0 && entry.kind === 'file')) throw archiveError(`the name of its entry '${entry.path}' is none that a file can have`);
    if (entry.kind === 'directory') return void (await this.#directory(locator));
    const directory = await this.#directory(locator.slice(0, -1));
    const handle = await directory.getFileHandle(locator.at(-1) ?? '', { create: true });
    const writable = await handle.createWritable();
    try {
      await write(writable, entry);
      await writable.close();
    } catch (error) {
      await writable.abort().catch(() => undefined);
      throw error;
    }
  }

  async #directory(locator: readonly string[]): Promise<FileSystemDirectoryHandle> {
    let shared = 0;
    while (shared < locator.length && this.#opened[shared]?.name === locator[shared]) shared += 1;
    this.#opened.length = Math.min(shared, this.#opened.length);
    let handle = this.#opened.at(-1)?.handle ?? (await this.#area.getDirectory());
    for (const name of locator.slice(shared)) {
      handle = await handle.getDirectoryHandle(name, { create: true });
      this.#opened.push({ name, handle });
    }
    return handle;
  }

  async remove(path: string): Promise<void> {
    const locator = locatorOfPath(path) ?? [];
    const directory = await this.#directory(locator.slice(0, -1));
    await directory.removeEntry(locator.at(-1) ?? '');
  }
}

async function write(writable: FileSystemWritableFileStream, entry: TarEntry): Promise<void> {
  const sparse = sparseOf(entry.records);
  if (sparse === null) {
    for await (const chunk of entry.content()) await writable.write(chunk as Uint8Array<ArrayBuffer>);
    return;
  }
  if (sparse.path !== entry.path) throw archiveError(`its entry '${entry.path}' has two names`);
  await writable.truncate(sparse.size);
  for await (const { at, bytes } of piecesOfSparse(entry.content(), sparse.size)) {
    await writable.write({ type: 'write', position: at, data: bytes as Uint8Array<ArrayBuffer> });
  }
}
