import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const cache = fileURLToPath(new URL('../../.cache/fixtures', import.meta.url));

/** By entries: a file that a child is about to read is not written again. */
const bundled = new Map<string, Promise<string>>();

/**
 * Bundles a TypeScript entry (which may import from `src/`) into one ES module and returns its path, so that child
 * processes and worker threads on any runtime can run it.
 */
export function bundleFixture(entry: URL): Promise<string> {
  const known = bundled.get(entry.href) ?? bundle(fileURLToPath(entry));
  bundled.set(entry.href, known);
  return known;
}

async function bundle(source: string): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const outfile = join(cache, `${source.replace(/[^a-z0-9]+/gi, '-')}-${process.pid}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    inject: ['disk/map/following-provided.ts', 'host/caches/provided.ts', 'host/encryption/provided.ts', 'host/storage-buckets/provided.ts', 'host/transaction/provided.ts'].map((file) => fileURLToPath(new URL(`../../src/${file}`, import.meta.url))),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'silent',
  });
  return outfile;
}
