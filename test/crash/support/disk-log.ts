import fs from 'node:fs';
import path from 'node:path';
import type { Call } from './fault-layer.ts';

/** One change of the disk, or a promise of the disk to keep those before it, or one of the product to its user. */
export type Entry =
  /** `name` in a directory means `inode` from now on; `half`: the number of the other half of a rename. */
  | { readonly type: 'name'; readonly directory: number; readonly name: string; readonly inode: number | null; readonly half?: number }
  | { readonly type: 'data'; readonly inode: number; readonly at: number; readonly base64: string }
  | { readonly type: 'size'; readonly inode: number; readonly size: number }
  | { readonly type: 'sync'; readonly inode: number }
  | { readonly type: 'prepared' }
  | { readonly type: 'acknowledged' };

export interface DiskHistory {
  readonly entries: readonly Entry[];
  /** Which inodes are directories; 0 is the one that was watched, and empty. */
  readonly directories: readonly number[];
}

interface Inode {
  readonly names: Map<string, number> | null;
  content: Buffer;
}

interface Opened {
  readonly inode: number;
  readonly appends: boolean;
  position: number;
}

type Operation = (parameters: readonly unknown[], result: unknown) => void;

/**
 * Writes down, call by call, what is done to a directory that was empty: in terms of inodes, so that it can be said of
 * each of them what a disk must have kept of it.
 */
export class DiskLog {
  readonly entries: Entry[] = [];
  readonly #root: string;
  readonly #inodes: Inode[] = [newDirectory()];
  readonly #opened = new Map<number, Opened>();

  constructor(root: string) {
    this.#root = root;
  }

  get history(): DiskHistory {
    return { entries: this.entries, directories: this.#inodes.flatMap(({ names }, number) => (names === null ? [] : [number])) };
  }

  /** Takes what the directory has for what the disk has kept; to be called before anything else. */
  adopt(): void {
    this.#adopt(this.#root, 0);
  }

  #adopt(directory: string, inode: number): void {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      const at = path.join(directory, entry.name);
      if (!entry.isDirectory()) this.#settled(this.#create(at, fs.readFileSync(at)));
      else {
        const made = this.#inodes.push(newDirectory()) - 1;
        this.#name(at, made);
        this.#adopt(at, made);
      }
    }
    this.#settled(inode);
  }

  #settled(inode: number): void {
    this.entries.push({ type: 'sync', inode });
  }

  mark(type: 'prepared' | 'acknowledged'): void {
    this.entries.push({ type });
  }

  /** To be told of every call that succeeded. What the runtime does inside of a call is known from the call. */
  note({ name, parameters, nested }: Call, result: unknown): void {
    if (nested) return;
    const operation = name.replace(/^promises\.|Sync$/g, '');
    this.#operations[operation]?.(parameters, result);
  }

  readonly #operations: Readonly<Record<string, Operation>> = {
    open: ([file, flags], descriptor) => this.#open(String(file), flags, Number(descriptor)),
    close: ([descriptor]) => void this.#opened.delete(Number(descriptor)),
    write: ([descriptor, data, offset, , position], count) =>
      this.#write(Number(descriptor), slice(data, offset, Number(count)), typeof data === 'string' ? offset : position),
    writeFile: ([file, data, options]) => this.#writeFile(String(file), data, options),
    ftruncate: ([descriptor, size]) => this.#resize(this.#file(descriptor).inode, Number(size ?? 0)),
    fsync: ([descriptor]) => this.#sync(descriptor),
    fdatasync: ([descriptor]) => this.#sync(descriptor),
    mkdir: ([directory, options]) => this.#makeDirectory(String(directory), options),
    rename: ([from, to]) => this.#rename(String(from), String(to)),
    link: ([from, to]) => this.#name(String(to), this.#find(String(from))),
    unlink: ([file]) => this.#name(String(file), null),
    rmdir: ([directory]) => this.#name(String(directory), null),
    rm: ([target]) => this.#removeAll(String(target)),
    copyFile: ([from, to]) => this.#create(String(to), this.#inodes[this.#find(String(from)) ?? -1]?.content ?? Buffer.alloc(0)),
  };

  #open(file: string, flags: unknown, descriptor: number): void {
    const creates = typeof flags === 'string' ? /[wa]/.test(flags) : (Number(flags) & fs.constants.O_CREAT) !== 0;
    const appends = typeof flags === 'string' ? flags.includes('a') : (Number(flags) & fs.constants.O_APPEND) !== 0;
    const inode = this.#find(file) ?? (creates ? this.#create(file, Buffer.alloc(0)) : undefined);
    if (inode === undefined) throw new Error(`${file} was opened, and nobody has made it`);
    this.#opened.set(descriptor, { inode, appends, position: 0 });
  }

  #file(descriptor: unknown): Opened {
    const opened = this.#opened.get(Number(descriptor));
    if (opened === undefined) throw new Error(`descriptor ${String(descriptor)} is not known`);
    return opened;
  }

  #write(descriptor: number, bytes: Buffer, position: unknown): void {
    const opened = this.#file(descriptor);
    const size = this.#inodes[opened.inode]?.content.length ?? 0;
    const at = opened.appends ? size : typeof position === 'number' ? position : opened.position;
    opened.position = at + bytes.length;
    this.#put(opened.inode, at, bytes);
  }

  #put(inode: number, at: number, bytes: Buffer): void {
    const node = this.#inodes[inode];
    if (node === undefined || bytes.length === 0) return;
    node.content = written(node.content, at, bytes);
    this.entries.push({ type: 'data', inode, at, base64: bytes.toString('base64') });
  }

  #resize(inode: number, size: number): void {
    const node = this.#inodes[inode];
    if (node === undefined) return;
    node.content = resized(node.content, size);
    this.entries.push({ type: 'size', inode, size });
  }

  #writeFile(file: string, data: unknown, options: unknown): void {
    const { flag = 'w' } = (options ?? {}) as { flag?: string };
    const inode = this.#find(file) ?? this.#create(file, Buffer.alloc(0));
    if (!flag.includes('a')) this.#resize(inode, 0);
    this.#put(inode, this.#inodes[inode]?.content.length ?? 0, Buffer.from(data as string | Uint8Array));
  }

  #sync(descriptor: unknown): void {
    this.entries.push({ type: 'sync', inode: this.#file(descriptor).inode });
  }

  #create(file: string, content: Buffer): number {
    const inode = this.#inodes.push({ names: null, content: Buffer.alloc(0) }) - 1;
    this.#name(file, inode);
    this.#put(inode, 0, content);
    return inode;
  }

  #makeDirectory(directory: string, options: unknown): void {
    if (this.#find(directory) !== undefined) return;
    const { recursive = false } = (options ?? {}) as { recursive?: boolean };
    if (recursive) this.#makeDirectory(path.dirname(directory), options);
    this.#name(directory, this.#inodes.push(newDirectory()) - 1);
  }

  #rename(from: string, to: string): void {
    const inode = this.#find(from);
    if (inode === undefined) throw new Error(`${from} was renamed, and nobody has made it`);
    const next = this.entries.length;
    this.#name(to, inode, next + 1);
    this.#name(from, null, next);
  }

  #removeAll(target: string): void {
    const inode = this.#find(target);
    if (inode === undefined) return;
    for (const name of [...(this.#inodes[inode]?.names?.keys() ?? [])]) this.#removeAll(`${target}/${name}`);
    this.#name(target, null);
  }

  #name(file: string, inode: number | null | undefined, half?: number): void {
    const directory = this.#find(path.dirname(file));
    const names = this.#inodes[directory ?? -1]?.names;
    if (directory === undefined || !names || inode === undefined) throw new Error(`${file} has no place`);
    const name = path.basename(file);
    if (inode === null) names.delete(name);
    else names.set(name, inode);
    this.entries.push({ type: 'name', directory, name, inode, ...(half !== undefined && { half }) });
  }

  #find(file: string): number | undefined {
    const components = path.relative(this.#root, file).split('/').filter((component) => component !== '');
    let inode: number | undefined = 0;
    for (const component of components) inode = inode === undefined ? undefined : this.#inodes[inode]?.names?.get(component);
    return inode;
  }
}

function newDirectory(): Inode {
  return { names: new Map(), content: Buffer.alloc(0) };
}

function slice(data: unknown, offset: unknown, count: number): Buffer {
  if (typeof data === 'string') return Buffer.from(data).subarray(0, count);
  const { buffer, byteOffset } = data as Uint8Array;
  return Buffer.from(buffer.slice(byteOffset + Number(offset ?? 0), byteOffset + Number(offset ?? 0) + count) as ArrayBuffer);
}

/** A file's content once bytes were written at a place; a gap is zeros. */
export function written(content: Buffer, at: number, bytes: Buffer): Buffer {
  const result = resized(content, Math.max(content.length, at + bytes.length));
  bytes.copy(result, at);
  return result;
}

export function resized(content: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size);
  content.copy(result);
  return result;
}
