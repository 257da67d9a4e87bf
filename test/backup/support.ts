import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

/** Directories of one test, and hosts that are closed after it. */
export interface Place {
  readonly home: string;
  readonly root: string;
  readonly backups: string;
  host(root?: string): StorageHost;
}

export const origin = 'https://app.example';

/** To be called once in a test file. */
export function places(): () => Place {
  let place: Place;
  let hosts: StorageHost[] = [];
  beforeEach(() => {
    const home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-backup-'));
    const host = (root = path.join(home, 'root')): StorageHost => {
      const made = new StorageHost({ root, ...encrypted });
      hosts.push(made);
      return made;
    };
    place = { home, root: path.join(home, 'root'), backups: path.join(home, 'backups'), host };
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    hosts = [];
    fs.rmSync(place.home, { recursive: true, force: true });
  });
  return () => place;
}

export async function write(client: StorageClient, name: string, content: string): Promise<void> {
  const directory = await client.storage.getDirectory();
  const handle = await directory.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
}

export async function read(client: StorageClient, name: string): Promise<string> {
  const directory = await client.storage.getDirectory();
  return await (await (await directory.getFileHandle(name)).getFile()).text();
}

/** All names in the client's root directory. */
export async function namesOf(client: StorageClient): Promise<string[]> {
  return await namesIn(await client.storage.getDirectory());
}

export async function namesIn(directory: { keys(): AsyncIterable<string> }): Promise<string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names.sort();
}

/** Every file of a directory with its content. */
export function contentsOf(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    found.set(path.relative(directory, file), fs.readFileSync(file, 'latin1'));
  }
  return found;
}
