import fs from 'node:fs';
import path from 'node:path';
import type { BlobFile } from '../../disk/records/record-database.ts';
import { ValueDamagedError } from '../../disk/values/value-error.ts';
import { inPieces } from '../../disk/tree/in-pieces.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../../disk/tree/open-plain.ts';
import type { Sealing } from '../../disk/tree/sealing.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { TarEntry } from './tar-reader.ts';

/** Files of an archive that are needed for a while, in a directory of their own. */
export class Scratch {
  /** By what they are encrypted; null: what is imported stays plain. */
  readonly sealing: Sealing | null;
  readonly #directory: string;

  /** The directory is there, and is removed by whoever made it. */
  constructor(directory: string, sealing: Sealing | null) {
    this.#directory = directory;
    this.sealing = sealing;
  }

  /** One more, in a directory in this one, which is made. */
  inside(): Scratch {
    const directory = this.newPath();
    fs.mkdirSync(directory, { mode: 0o700 });
    return new Scratch(directory, this.sealing);
  }

  /** A name that nothing has yet. */
  newPath(): string {
    return this.pathOf(randomUuid());
  }

  pathOf(name: string): string {
    return path.join(this.#directory, name);
  }

  async keep(name: string, entry: TarEntry): Promise<void> {
    const file = this.pathOf(name);
    if (this.sealing !== null) return keepSealed(file, entry, this.sealing);
    const handle = await fs.promises.open(file, 'wx', 0o600);
    try {
      for await (const chunk of entry.content()) await handle.appendFile(chunk);
    } finally {
      await handle.close();
    }
  }

  /** One that was kept under its id, as a file of a database. @throws ValueDamagedError where there is none */
  blob(id: number): BlobFile {
    const file = this.pathOf(String(id));
    const stats = fs.lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined) throw new ValueDamagedError('it refers to a file that is not in the archive');
    const { sealing } = this;
    if (sealing === null) return { id, size: stats.size, path: file };
    const size = sizeOfSealed(file, sealing);
    return { id, size, path: file, sealed: { size, reader: (descriptor) => inPieces(sealing.open(descriptor, file, 'beside-readers')) } };
  }

  remove(): void {
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function keepSealed(file: string, entry: TarEntry, sealing: Sealing): Promise<void> {
  const descriptor = openNew(file, CREATE);
  try {
    const content = sealing.draft(descriptor, file, 'whole');
    let position = 0;
    for await (const chunk of entry.content()) {
      for (let at = 0; at < chunk.length; ) at += await content.writeLater(chunk.subarray(at), position + at);
      position += chunk.length;
    }
    content.finish();
  } finally {
    closeQuietly(descriptor);
  }
}

function sizeOfSealed(file: string, sealing: Sealing): number {
  const descriptor = openPlain(file, READ);
  try {
    return sealing.open(descriptor, file, 'beside-readers').size();
  } finally {
    closeQuietly(descriptor);
  }
}
