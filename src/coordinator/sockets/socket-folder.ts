import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { ensureDirectory } from '../../disk/directories.ts';

/** Bytes of a socket's path that all systems take. */
const LONGEST_PATH = 100;

/** How the file is named in which a process says what it serves. */
const CARD = /^([0-9a-z]+)\.json$/;

/** What a process says of itself. */
export interface Card {
  readonly address: string;
  /** Null: it has to be asked. */
  readonly classes: readonly unknown[] | null;
  /** Its number; null where it has not said. */
  readonly process: number | null;
}

/**
 * The folder of a root in which its processes listen: for each a socket, and a card that says which classes it serves.
 * Only the owner of the root can come to it.
 */
export class SocketFolder {
  readonly #directory: string;
  /** Opened where its path is too long for sockets. */
  #descriptor: number | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws the operating system's error, HoldfastError */
  ensure(): void {
    ensureDirectory(this.#directory);
  }

  /** Where a process listens. @throws HoldfastError disk-failed where the path is too long for this system */
  socketOf(address: string): string {
    const plain = path.join(this.#directory, address);
    if (process.platform === 'win32') return `\\\\.\\pipe\\holdfast-${digestOf(this.#directory)}-${address}`;
    if (Buffer.byteLength(plain) <= LONGEST_PATH) return plain;
    if (process.platform !== 'linux') throw new HoldfastError('disk-failed', `The path of a socket, ${plain}, is too long for this system: choose a root with a shorter path.`);
    this.#descriptor ??= withDescriptor(() => fs.openSync(this.#directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY));
    return `/proc/self/fd/${this.#descriptor}/${address}`;
  }

  /** `classes`: null: whoever wants to know asks. */
  write(address: string, classes: readonly string[] | null): void {
    const card = this.#cardOf(address);
    fs.writeFileSync(`${card}.new`, JSON.stringify({ ...(classes !== null && { classes }), process: process.pid }), { mode: 0o600 });
    fs.renameSync(`${card}.new`, card);
  }

  /** Those who say that they serve a class, or do not say which they do. */
  serving(className: string): { readonly address: string; readonly isSure: boolean }[] {
    return this.cards().flatMap(({ address, classes }) => (classes === null || classes.includes(className) ? { address, isSure: classes !== null } : []));
  }

  /** What those say of themselves who have listened lately. */
  cards(): Card[] {
    let names: string[];
    try {
      names = fs.readdirSync(this.#directory);
    } catch {
      return [];
    }
    return names.flatMap((name) => CARD.exec(name)?.[1] ?? []).map((address) => this.#read(address));
  }

  #read(address: string): Card {
    try {
      const { classes, process: id } = JSON.parse(fs.readFileSync(this.#cardOf(address), 'utf8')) as { readonly classes?: unknown; readonly process?: unknown };
      return { address, classes: classes === undefined ? null : Array.isArray(classes) ? classes : [], process: typeof id === 'number' ? id : null };
    } catch {
      return { address, classes: [], process: null };
    }
  }

  #cardOf(address: string): string {
    return path.join(this.#directory, `${address}.json`);
  }

  /** What a process has left that listens no more. */
  remove(address: string): void {
    for (const file of [this.#cardOf(address), path.join(this.#directory, address)]) {
      try {
        fs.rmSync(file, { force: true });
      } catch {
        // Whoever comes next tries again.
      }
    }
  }

  close(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

function digestOf(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text.toLowerCase()).digest('hex').slice(0, 24);
}
