import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { treeHas } from './support.ts';

export const ORIGIN = 'https://a.example';
export const key = Uint8Array.from(randomBytes(32));

const hosts: StorageHost[] = [];

/** A host that encrypts with {@link key} unless it is told otherwise; null: with nothing. */
export function open(root: string, encryption: EncryptionOptions | null = { key }, more: Partial<StorageHostOptions> = {}): StorageHost {
  const host = new StorageHost({ root, ...more, ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

export function newRoot(): string {
  return path.join(temporaryDirectory(), 'root');
}

/** Markers that nobody could guess, each for one name, url, header, body or message. */
export class Canaries {
  readonly #made: string[] = [];

  new(): string {
    const canary = `canary${randomBytes(8).toString('hex')}`;
    this.#made.push(canary);
    return canary;
  }

  take(...canaries: readonly string[]): void {
    this.#made.push(...canaries);
  }

  /** Files of the root that have one in them, or in their names. */
  foundIn(root: string): string[] {
    return this.#made.flatMap((canary) => treeHas(root, canary));
  }
}

/** A directory of the origin. */
export function within(root: string, ...names: string[]): string {
  return path.join(root, 'origins/https_a.example', ...names);
}

/** The files below a directory, the largest first. */
export function largest(directory: string): string[] {
  const files = fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => path.join(directory, name));
  const sizes = new Map(files.map((file) => [file, fs.lstatSync(file)] as const).flatMap(([file, stats]) => (stats.isFile() ? [[file, stats.size]] : [])));
  return [...sizes.keys()].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0));
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What is thrown, with what it is caused by, as one text. */
export function told(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error || at instanceof DOMException; at = (at as { cause?: unknown }).cause) texts.push(at.message);
  return texts.join('; ');
}
