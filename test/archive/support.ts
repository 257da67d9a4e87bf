import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import type { StorageClient } from '../../src/index.ts';

export const A = 'https://a.example';
export const B = 'https://b.example';

export function temporary(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-archive-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openHost(root = path.join(temporary(), 'root'), options: Partial<StorageHostOptions> = {}): StorageHost {
  const host = new StorageHost({ root, ...options });
  onTestFinished(() => host.close());
  return host;
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function archiveOf(host: StorageHost, origin: string | string[] = A): Promise<Buffer> {
  return bytesOf((await host.exportOrigin(origin)) as unknown as AsyncIterable<Uint8Array>);
}

export async function* piecesOf(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function writeFile(client: StorageClient, names: readonly string[], content: string | Uint8Array): Promise<void> {
  let directory = await client.storage.getDirectory();
  for (const name of names.slice(0, -1)) directory = await directory.getDirectoryHandle(name, { create: true });
  const handle = await directory.getFileHandle(names.at(-1) ?? '', { create: true });
  const writable = await handle.createWritable();
  await writable.write(content as Uint8Array<ArrayBuffer>);
  await writable.close();
}

/** Every entry of an origin's files: a directory as null, a file as what it holds. */
export async function filesOf(client: StorageClient): Promise<Map<string, string | null>> {
  const found = new Map<string, string | null>();
  const walk = async (directory: Awaited<ReturnType<StorageClient['storage']['getDirectory']>>, at: string[]): Promise<void> => {
    for await (const [name, handle] of directory.entries()) {
      const key = JSON.stringify([...at, name]);
      if (handle.kind === 'directory') {
        found.set(key, null);
        await walk(handle as typeof directory, [...at, name]);
      } else {
        const file = await (handle as Awaited<ReturnType<typeof directory.getFileHandle>>).getFile();
        found.set(key, Buffer.from(await file.arrayBuffer()).toString('latin1'));
      }
    }
  };
  await walk(await client.storage.getDirectory(), []);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function itemsOf(client: StorageClient): [string, string][] {
  const { localStorage } = client;
  return Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '').map((key) => [key, localStorage.getItem(key) ?? '']);
}
