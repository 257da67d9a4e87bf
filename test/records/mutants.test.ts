import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { nodeWithSqlite } from './support/other-node.ts';

/** A way to break the databases: in `file`, `from` (which must occur exactly once) becomes `to`. */
interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The check of the suite that must notice; else the model must. */
  readonly check?: string;
}

const mutants: readonly Mutant[] = [
  { what: 'a unique index takes any key', file: 'writing.ts', from: 'if (index.unique && isTaken(', to: 'if (index.unique && !isTaken(' },
  { what: 'a record is in the way of itself', file: 'writing.ts', from: ' AND p <> ? LIMIT 1', to: ' AND p IS NOT NULL AND ? IS NOT NULL LIMIT 1', check: 'may keep its key' },
  { what: 'entries of a deleted record stay', file: 'write-transaction.ts', from: 'if (old.indexKeys !== null) deleteEntries', to: 'if (old.indexKeys === null) deleteEntries' },
  { what: 'entries of a replaced record stay', file: 'writing.ts', from: '  if (old !== null) deleteEntries(', to: '  if (old === null) deleteEntries(' },
  { what: 'prevunique gives the highest primary key', file: 'statements.ts', from: 'ORDER BY i.k ${order} LIMIT 1) ORDER BY i.p LIMIT', to: 'ORDER BY i.k ${order} LIMIT 1) ORDER BY i.p ${order} LIMIT' },
  { what: 'a cursor goes on behind the key of its place', file: 'bounds.ts', from: 'edge(after.key, true, hasPlaces ? after.primaryKey : null)', to: 'edge(after.key, true, null)' },
  { what: 'a generator is not written at the commit', file: 'write-transaction.ts', from: 'if (isUsed) this.session', to: 'if (!isUsed) this.session' },
  { what: 'readers share a state that is older', file: 'readers.ts', from: 'if (this.#latest.state === state) return this.#latest;', to: 'return this.#latest;' },
  { what: 'an undone upgrade leaves its schema in memory', file: 'sql-session.ts', from: '    this.#setSchema(schema);\n    this.#number = -1;', to: '    this.#setSchema(schema);' },
  { what: 'a file goes while a record refers to it', file: 'blob-garbage.ts', from: '!this.#blobs.isHeld(id) && !this.#isMentioned(id)', to: '!this.#blobs.isHeld(id)', check: 'not before' },
  { what: 'a file goes while somebody holds it', file: 'blob-directory.ts', from: 'return this.#held.has(id) || this.#holds.isHeld(this.#name, id);', to: 'return false;', check: 'somebody holds' },
  { what: 'a file goes while somebody reads an older state', file: 'blob-garbage.ts', from: 'this.#checkpoints?.run() === false', to: 'this.#checkpoints?.run() === null', check: 'snapshot goes on' },
  { what: 'a file stays though nothing refers to it', file: 'writing.ts', from: ' AND refs <= 0', to: ' AND refs < 0', check: 'not before' },
];

const records = fileURLToPath(new URL('../../src/disk/records/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

async function bundle({ file, from, to, check }: Mutant, nth: number): Promise<string> {
  const outfile = path.join(root, '.cache/fixtures', `records-mutant-${process.pid}-${nth}.mjs`);
  await build({
    entryPoints: [path.join(root, 'test/records/core', check === undefined ? 'model-run.ts' : 'suite-run.ts')],
    outfile,
    inject: [path.join(root, 'src/disk/map/following-provided.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'silent',
    plugins: [
      {
        name: 'mutant',
        setup: ({ onLoad }) =>
          onLoad({ filter: new RegExp(`/disk/records/${file.replaceAll('.', '\\.')}$`) }, () => {
            const parts = fs.readFileSync(path.join(records, file), 'utf8').split(from);
            if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${from}`);
            return { contents: parts.join(to), loader: 'ts' };
          }),
      },
    ],
  });
  return outfile;
}

/** Whether a run of it finds anything wrong. */
async function isNoticed(mutant: Mutant, nth: number): Promise<boolean> {
  const file = await bundle(mutant, nth);
  const env = { ...process.env, RUNS: '300', SEED: '1', ...(mutant.check !== undefined && { CHECK: mutant.check }) };
  const failed = await new Promise<boolean>((resolve) => void execFile(nodeWithSqlite ?? '', ['--no-warnings', file], { env, maxBuffer: 2 ** 26, timeout: 120_000 }, (error) => resolve(error !== null)));
  fs.rmSync(file);
  return failed;
}

describe.runIf(nodeWithSqlite !== null)('it is noticed that', () => {
  for (const [nth, mutant] of mutants.entries()) test(mutant.what, async () => expect(await isNoticed(mutant, nth)).toBe(true), 180_000);
});
