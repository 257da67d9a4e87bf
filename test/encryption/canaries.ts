import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import type { StorageClient } from '../../src/index.ts';
import { ended, opened } from '../indexed-db/support/promises.ts';
import { Keeper } from './coordinators.ts';

const ORIGIN = 'https://a.example';

/** All that a program can name, send or store. */
export const KINDS = [
  'key of an item', 'item', 'item beyond Latin-1', 'url of a client',
  'file', 'directory', 'content', 'content in place', 'new name', 'content that is not closed yet', 'removed file', 'removed content',
  'database', 'object store', 'index', 'key of a record', 'value', 'large value', 'blob', 'type of a blob', 'name of a file in a record',
  'cache', 'url of a request', 'header of a request', 'header of a response', 'body', 'bucket', 'content of a bucket', 'lock of a bucket', 'cache of a bucket', 'database of a bucket',
  'lock', 'lock that is held', 'channel', 'message', 'blob of a message',
  'class', 'coordinator', 'result', 'error of a coordinator', 'item of a coordinator', 'content of a coordinator', 'lock of a coordinator', 'cache of a coordinator',
] as const;

export type Kind = (typeof KINDS)[number];
export type Mark = (kind: Kind) => string;

/** Marks that nobody could guess who does not know the seed. Of ASCII: UTF-8, Latin-1 and what else begins with it have them alike. */
export const marksOf = (seed: string): Mark => (kind) => `canary${createHash('sha256').update(`${seed} ${kind}`).digest('hex').slice(0, 16)}`;

/** Answers, and fails, with what it is told to. */
class Witness extends Keeper {
  echo(result: string): string {
    this.count();
    return result;
  }
}

type Bucket = Pick<StorageClient, 'caches' | 'indexedDB' | 'localStorage' | 'locks'> & { getDirectory(): Promise<FileSystemDirectoryHandle> };

async function write(directory: FileSystemDirectoryHandle, name: string, content: string): Promise<void> {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

async function writeDatabase(client: Pick<StorageClient, 'indexedDB'>, mark: Mark, name: string): Promise<void> {
  const database = await opened(client.indexedDB, name, (made) => void made.createObjectStore(mark('object store')).createIndex(mark('index'), 'path'));
  const transaction = database.transaction(mark('object store'), 'readwrite');
  const store = transaction.objectStore(mark('object store'));
  store.put({ text: mark('value'), large: mark('large value').repeat(4_000) }, mark('key of a record'));
  store.put([new Blob([mark('blob').repeat(4_000)], { type: `text/${mark('type of a blob')}` }), new File(['x'], mark('name of a file in a record'))], 'files');
  await ended(transaction);
  database.close();
}

async function writeCache(client: Pick<StorageClient, 'caches'>, mark: Mark, name: string): Promise<void> {
  const cache = await client.caches.open(name);
  const request = new Request(`${ORIGIN}/${mark('url of a request')}`, { headers: { x: mark('header of a request') } });
  await cache.put(request, new Response(mark('body').repeat(4_000), { headers: { vary: 'x', y: mark('header of a response') } }));
}

async function writeFiles(directory: FileSystemDirectoryHandle, mark: Mark): Promise<void> {
  const below = await directory.getDirectoryHandle(mark('directory'), { create: true });
  await write(below, mark('file'), mark('content').repeat(4_000));
  const handle = await (await directory.getFileHandle(`in place ${process.pid}`, { create: true })).createSyncAccessHandle();
  handle.write(Buffer.from(mark('content in place').repeat(2_000)), { at: 5_000 });
  handle.close();
  const moved = (await directory.getFileHandle(`moved ${process.pid}`, { create: true })) as FileSystemFileHandle & { move(to: string): Promise<void> };
  await moved.move(`${mark('new name')} ${process.pid}`);
  await (await (await directory.getFileHandle('not closed', { create: true })).createWritable()).write(mark('content that is not closed yet').repeat(4_000));
}

/** A directory of its own, that goes as a whole: what it had is in the trash, until somebody has the time to delete it. */
export async function remove(host: StorageHost, mark: Mark): Promise<void> {
  const directory = await host.origin(ORIGIN).storage.getDirectory();
  const name = `${process.pid}`;
  await write(await directory.getDirectoryHandle(name, { create: true }), mark('removed file'), mark('removed content').repeat(4_000));
  await directory.removeEntry(name, { recursive: true });
}

/** Somebody who uses everything that an origin has, with the marks of each kind. */
export class Writer {
  readonly #client: StorageClient;
  readonly #mark: Mark;
  readonly #channel: InstanceType<StorageClient['BroadcastChannel']>;
  readonly #coordinators: Coordinators;

  constructor(host: StorageHost, mark: Mark) {
    this.#mark = mark;
    this.#client = host.client(ORIGIN, { url: `${ORIGIN}/${mark('url of a client')}` });
    this.#channel = new this.#client.BroadcastChannel(mark('channel'));
    this.#channel.onmessage = () => undefined;
    this.#coordinators = new Coordinators(host, { [mark('class')]: Witness }, { suspectAfter: 1_000 });
    void this.#client.locks.request(mark('lock that is held'), { mode: 'shared' }, () => new Promise<never>(() => undefined)).catch(() => undefined);
  }

  async write(round: number): Promise<void> {
    const mark = this.#mark;
    this.#writeItems(this.#client.localStorage, round);
    await this.#client.locks.request(mark('lock'), () => undefined);
    this.#channel.postMessage([mark('message'), new Blob([mark('blob of a message').repeat(4_000)])]);
    await writeFiles(await this.#client.storage.getDirectory(), mark);
    await writeCache(this.#client, mark, mark('cache'));
    await writeDatabase(this.#client, mark, mark('database'));
    await this.#writeBucket();
    await this.#call();
  }

  #writeItems(localStorage: Pick<Storage, 'setItem'>, round: number): void {
    localStorage.setItem(`${this.#mark('key of an item')} ${process.pid}`, `${this.#mark('item')} ${round}`);
    localStorage.setItem('wide', `€${this.#mark('item beyond Latin-1')} ${round}`);
  }

  async #writeBucket(): Promise<void> {
    const mark = this.#mark;
    const bucket = (await this.#client.storageBuckets.open(mark('bucket'))) as unknown as Bucket;
    await write(await bucket.getDirectory(), `file ${process.pid}`, mark('content of a bucket').repeat(4_000));
    await writeCache(bucket, mark, mark('cache of a bucket'));
    await writeDatabase(bucket, mark, mark('database of a bucket'));
    await bucket.locks.request(mark('lock of a bucket'), () => undefined);
  }

  async #call(): Promise<void> {
    const mark = this.#mark;
    const witness = this.#coordinators.get(ORIGIN, mark('class'), mark('coordinator')) as unknown as Witness;
    await witness.set(mark('item of a coordinator'), mark('item of a coordinator'));
    await witness.writeFile('file', mark('content of a coordinator').repeat(4_000));
    await witness.lock(mark('lock of a coordinator'));
    await witness.respond(`${ORIGIN}/${mark('url of a request')}`, mark('cache of a coordinator'));
    await witness.setAlarm(Date.now() + 5);
    await witness.echo(mark('result'));
    await Promise.resolve(witness.fail(mark('error of a coordinator'))).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#coordinators.close();
    this.#channel.close();
  }
}

/** What there is below a directory, or in a file, each with its path, and with what a compressed chunk of a backup is when it is not. */
function* contentsIn(directory: string): Iterable<Buffer> {
  const names = fs.statSync(directory).isFile() ? [''] : fs.readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of names) {
    const file = path.join(directory, name);
    yield Buffer.from(name);
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) continue;
    const bytes = fs.readFileSync(file);
    yield bytes;
    if (path.basename(path.dirname(path.dirname(file))) === 'chunks' && bytes[4] === 1) yield zlib.inflateRawSync(bytes.subarray(8));
  }
}

/** The kinds whose marks are somewhere below a directory, in a name or a content: in UTF-8, Latin-1, UTF-16, base64 or hexadecimal. */
export function foundIn(directory: string, mark: Mark): Kind[] {
  const found = new Set<Kind>();
  const forms = KINDS.map((kind) => [kind, formsOf(mark(kind))] as const);
  for (const bytes of contentsIn(directory)) {
    for (const [kind, ways] of forms) if (!found.has(kind) && ways.some((form) => bytes.includes(form))) found.add(kind);
  }
  return KINDS.filter((kind) => found.has(kind));
}

function formsOf(text: string): Buffer[] {
  // Base64 of it, wherever among three bytes it begins.
  const base64 = [0, 1, 2].map((before) => Buffer.from(`${'\0'.repeat(before)}${text}`).toString('base64').slice(before === 0 ? 0 : 4, 24));
  return [Buffer.from(text), Buffer.from(text, 'utf16le'), ...[...base64, Buffer.from(text).toString('hex')].map((form) => Buffer.from(form))];
}
