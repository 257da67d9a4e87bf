import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { StorageHost, type OriginSync, type StorageClient, type SyncOptions } from '../../src/index.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { TOKEN } from '../sync/embedded/in-process.ts';

export const ORIGIN = 'https://canary-origin.example';

export const KEY = Buffer.alloc(32, 7);
export const OTHER_KEY = Buffer.alloc(32, 8);

/** A text that is nowhere else, and in each encoding of it is found by a search. */
export const canary = (what: string): string => `canary-${what}-5f3a`;

export type Region = StorageClient & { readonly sync: OriginSync };

export interface RegionOptions extends Partial<SyncOptions> {
  readonly root?: string;
  /** Undefined: the region does not encrypt. */
  readonly encryption?: EncryptionOptions | undefined;
}

export function newRoot(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-sealed-'));
  onTestFinished(() => fs.rmSync(root, { recursive: true, force: true }));
  return path.join(root, 'root');
}

export function openHost(hub: Hub, region: string, options: RegionOptions = {}): StorageHost {
  const { root = newRoot(), encryption = { key: KEY }, ...sync } = options;
  const isPlain = 'encryption' in options && options.encryption === undefined;
  const host = new StorageHost({ root, ...(!isPlain && { encryption }), sync: { hub, region, ...sync } });
  onTestFinished(() => host.close());
  return host;
}

export function regionOf(host: StorageHost, origin = ORIGIN): Region {
  const client = host.origin(origin);
  if (client.sync === null) throw new Error('the origin follows no hub');
  return client as Region;
}

export function openRegion(hub: Hub, region: string, options: RegionOptions = {}): Region {
  return regionOf(openHost(hub, region, options));
}

/** A client of a hub that is served. */
export const clientOf = ({ url }: { readonly url: string }): Hub => embeddedHub({ url, token: TOKEN });

export async function write(client: StorageClient, name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const root = await client.storage.getDirectory();
  const writable = await (await root.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

export async function read(client: StorageClient, name: string): Promise<string> {
  const root = await client.storage.getDirectory();
  return (await (await root.getFileHandle(name)).getFile()).text();
}
