import fs from 'node:fs';
import path from 'node:path';
import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../../file-system/file-handle.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { UsageError } from '../command.ts';
import { until } from '../interruption.ts';
import { made, type OpfsPath, required, shown } from '../opfs-path.ts';
import { standardInput } from '../output.ts';
import { Progress } from '../progress.ts';
import { bytes } from '../table.ts';
import { type BucketFiles, isDirectoryHandle, isFileHandle } from './bucket-files.ts';

/** What is to be copied: a file, or a directory, whose files come after it. */
interface Source {
  /** Below where the copy goes; none for what was named itself. */
  readonly names: readonly string[];
  /** Null: a directory. */
  readonly content: (() => AsyncIterable<Uint8Array>) | null;
  readonly size: number;
}

/** Counts what was copied, for people who wait. */
class Counter {
  readonly #progress = new Progress();
  readonly #total: number | null;
  #done = 0;

  constructor(total: number | null) {
    this.#total = total;
  }

  add(count: number): void {
    this.#progress.update((this.#done += count), this.#total, bytes);
  }

  end(): void {
    this.#progress.end();
  }
}

/** Copies what is on this machine into an origin's files. All is looked at before the first byte is copied. */
export async function copyIn(files: BucketFiles, locals: readonly string[], target: OpfsPath): Promise<void> {
  if (locals.includes('-')) return copyInput(files, locals, target);
  const all = locals.map((local) => ({ local, sources: [...localSources(local)] }));
  if (all.length > 1) await made(files.directory, target.names);
  const counter = new Counter(all.flatMap(({ sources }) => sources).reduce((sum, { size }) => sum + size, 0));
  try {
    for (const { local, sources } of all) await storeAll(files, sources, await placeOf(files, target, path.basename(path.resolve(local))), counter);
  } finally {
    counter.end();
  }
}

async function copyInput(files: BucketFiles, locals: readonly string[], target: OpfsPath): Promise<void> {
  if (locals.length > 1) throw new UsageError("'-' is the only source where it is one");
  if (target.isDirectory) throw new UsageError(`${shown(target.names)} is no name for a file`);
  const counter = new Counter(null);
  try {
    await storeAll(files, [{ names: [], content: standardInput, size: 0 }], target.names, counter);
  } finally {
    counter.end();
  }
}

async function placeOf(files: BucketFiles, target: OpfsPath, name: string): Promise<readonly string[]> {
  const { parent, name: last } = await files.placeFor(target, name);
  return [...parent, last];
}

async function storeAll(files: BucketFiles, sources: readonly Source[], at: readonly string[], counter: Counter): Promise<void> {
  for (const { names, content } of sources) {
    files.signal.throwIfAborted();
    const place = [...at, ...names];
    if (content === null) await made(files.directory, place);
    else await files.respectingLocks(place, async () => store(files, place, content(), counter));
  }
}

/** It has its old content, or none, until the new one is whole. */
async function store(files: BucketFiles, place: readonly string[], content: AsyncIterable<Uint8Array>, counter: Counter): Promise<void> {
  const parent = await made(files.directory, place.slice(0, -1));
  const isNew = !(await exists(parent, place));
  const handle = await parent.getFileHandle(place.at(-1) ?? '', { create: true });
  const writable = await handle.createWritable();
  try {
    for await (const chunk of until(files.signal, content)) {
      await writable.write(chunk as Uint8Array<ArrayBuffer>);
      counter.add(chunk.length);
    }
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined);
    if (isNew) await parent.removeEntry(handle.name).catch(() => undefined);
    throw error;
  }
}

async function exists(parent: FileSystemDirectoryHandle, place: readonly string[]): Promise<boolean> {
  try {
    await parent.getFileHandle(place.at(-1) ?? '');
    return true;
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return false;
    if ((error as Error).name !== 'TypeMismatchError') throw error;
    throw new HoldfastError('bad-option', `${shown(place)} is a directory.`, { cause: error });
  }
}

function* localSources(local: string, names: readonly string[] = []): Generator<Source, void> {
  const stats = names.length === 0 ? fs.statSync(local) : fs.lstatSync(local);
  if (stats.isFile()) return yield { names, size: stats.size, content: () => fs.createReadStream(local, { highWaterMark: 2 ** 18 }) as AsyncIterable<Uint8Array> };
  if (!stats.isDirectory()) throw new HoldfastError('bad-option', `${local} is neither a file nor a directory; links are not followed.`);
  yield { names, size: 0, content: null };
  for (const name of fs.readdirSync(local).sort()) yield* localSources(path.join(local, name), [...names, name]);
}

/** Copies files of an origin to this machine. */
export async function copyOut(files: BucketFiles, source: OpfsPath, local: string): Promise<void> {
  const sources = await storedSources(await required(files.directory, source.names));
  const isInto = local.endsWith('/') || fs.statSync(local, { throwIfNoEntry: false })?.isDirectory() === true;
  const place = isInto && source.names.length > 0 ? path.join(local, localName(source.names.at(-1) ?? '')) : local;
  const counter = new Counter(sources.reduce((sum, { size }) => sum + size, 0));
  try {
    for (const { names, content } of sources) {
      files.signal.throwIfAborted();
      const at = path.join(place, ...names.map(localName));
      if (content === null) fs.mkdirSync(at, { recursive: true });
      else await writeLocal(at, until(files.signal, content()), counter);
    }
  } finally {
    counter.end();
  }
}

/** A name that is none on this machine would be another one, or none. */
function localName(name: string): string {
  if (Buffer.from(name).toString() === name && !name.includes('\0') && !name.includes(path.sep)) return name;
  throw new HoldfastError('bad-option', `'${name}' cannot be the name of a file on this machine.`);
}

/** It has its name once it is whole. */
async function writeLocal(at: string, content: AsyncIterable<Uint8Array>, counter: Counter): Promise<void> {
  fs.mkdirSync(path.dirname(at), { recursive: true });
  const draft = `${at}.holdfast-${process.pid}`;
  try {
    const handle = await fs.promises.open(draft, 'wx');
    try {
      for await (const chunk of content) {
        await handle.appendFile(chunk);
        counter.add(chunk.length);
      }
    } finally {
      await handle.close();
    }
    fs.renameSync(draft, at);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
}

/** Copies files of an origin to another place of it. */
export async function copyWithin(files: BucketFiles, source: OpfsPath, target: OpfsPath): Promise<void> {
  const sources = await storedSources(await required(files.directory, source.names));
  const place = await placeOf(files, target, source.names.at(-1) ?? '');
  const isInside = source.names.every((name, index) => place[index] === name);
  if (isInside && sources[0]?.content === null) throw new HoldfastError('bad-option', `${shown(source.names)} cannot be copied into itself.`);
  const counter = new Counter(sources.reduce((sum, { size }) => sum + size, 0));
  try {
    await storeAll(files, sources, place, counter);
  } finally {
    counter.end();
  }
}

async function storedSources(handle: FileSystemFileHandle | FileSystemDirectoryHandle, names: readonly string[] = []): Promise<Source[]> {
  if (isFileHandle(handle)) {
    const file = await handle.getFile();
    return [{ names, size: file.size, content: () => file.stream() as unknown as AsyncIterable<Uint8Array> }];
  }
  const found: Source[] = [{ names, size: 0, content: null }];
  if (isDirectoryHandle(handle)) for await (const [name, child] of handle.entries()) for (const source of await storedSources(child as typeof handle, [...names, name])) found.push(source);
  return found;
}
