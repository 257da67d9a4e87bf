import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { uptime, wallClock } from '../../runtime/timers.ts';
import { ensureDirectory } from '../directories.ts';

/** Unfinished work of the workshop is deleted when nobody has touched it for ten minutes. */
const TOUCH_MS = 30_000;

/**
 * A directory in a root's workshop with what a backup has yet to read: second names of files that are never changed in
 * place, and copies of others. A handle that would write to a file with a second name gets a new one instead (see
 * `FileTree.openForWriting`), so a link keeps what the file holds now.
 */
export class Draft {
  readonly path: string;
  #count = 0;
  #touched = uptime();

  /** @throws the operating system's error */
  constructor(workshop: string) {
    ensureDirectory(workshop);
    this.path = path.join(workshop, randomUuid());
    fs.mkdirSync(this.path, { mode: 0o700 });
  }

  /** A path at which nothing is. */
  next(): string {
    this.#count += 1;
    return path.join(this.path, String(this.#count));
  }

  /** A second name of a file. @throws the operating system's error */
  link(file: string): string {
    const name = this.next();
    fs.linkSync(file, name);
    return name;
  }

  /** A copy of it, of shared blocks where the volume can. @throws the operating system's error */
  copy(file: string): string {
    const name = this.next();
    withDescriptor(() => fs.copyFileSync(file, name, fs.constants.COPYFILE_FICLONE));
    return name;
  }

  /** To be called now and then by who works with it for long. */
  touch(): void {
    if (uptime() - this.#touched < TOUCH_MS) return;
    this.#touched = uptime();
    const now = wallClock() / 1000;
    fs.utimesSync(this.path, now, now);
  }

  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}
