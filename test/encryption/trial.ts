import fs from 'node:fs';
import path from 'node:path';
import type { StorageHost } from '../../src/host/storage-host.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeOf, key, ORIGIN } from './operator.ts';

/** What becomes of what does not throw. */
export const DONE = 'nothing was thrown';

export type Host = StorageHost;

export async function using<T>(host: Host, body: (host: Host) => Promise<T>): Promise<T> {
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** A copy of a root, and what a variant of the product does with it. */
export class Trial<Variant extends { readonly StorageHost: typeof StorageHost }> {
  readonly root = path.join(temporaryDirectory(), 'root');
  protected readonly variant: Variant;

  constructor(variant: Variant, of: string) {
    this.variant = variant;
    fs.cpSync(of, this.root, { recursive: true });
  }

  within(...names: string[]): string {
    return path.join(this.root, 'origins/https_a.example', ...names);
  }

  /** What becomes of it. */
  run(what: (host: Host) => Promise<unknown>, plain: 'migrate' | 'refuse' = 'refuse'): Promise<string> {
    return codeOf(using(new this.variant.StorageHost({ root: this.root, encryption: { key, plain } }), what));
  }

  encrypt(): Promise<string> {
    return this.run((host) => host.encrypt(ORIGIN), 'migrate');
  }

  rotate(): Promise<string> {
    return this.run((host) => host.rekey(ORIGIN, { dataKey: true, files: true }));
  }
}
