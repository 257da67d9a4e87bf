import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../../src/disk/quota/ledger.ts';
import { SharedFiles } from '../../src/disk/tree/shared-files.ts';
import type { SharedFile } from '../../src/disk/tree/shared-files.ts';
import { FileSealing } from '../../src/disk/encryption/files/file-sealing.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { keysOf, sample } from './files/support.ts';
import type * as Product from './shared-files.product.ts';
import * as product from './shared-files.product.ts';
import { treeHas } from './support.ts';

const [ONE, OTHER] = ['0'.repeat(8), '1'.repeat(8)].map((begin) => `${begin}-0000-4000-8000-000000000000`) as [string, string];

/** Counts what is taken, and gives it. */
class Tally implements Ledger {
  taken = 0;
  charge(bytes: number): void {
    this.taken += bytes;
  }
  refund(bytes: number): void {
    this.taken -= bytes;
  }
  free(bytes: number): void {
    this.taken -= bytes;
  }
  mark(): number {
    return 0;
  }
  moved(): void {
    // Nobody counts.
  }
  doubt(): void {
    // The same.
  }
}

let bucket: string;
beforeEach(() => {
  bucket = temporaryDirectory();
});

function shared(session: string, tally = new Tally(), { SharedFiles: Files, FileSealing: Seal }: Pick<typeof Product, 'SharedFiles' | 'FileSealing'> = { SharedFiles, FileSealing }): SharedFiles {
  return new Files(bucket, session, tally, new Seal(keysOf()));
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

/** What a Blob over it would read. */
async function contentOf({ path: at, size, sealed }: SharedFile): Promise<Buffer> {
  const descriptor = fs.openSync(at, 'r');
  try {
    const bytes = Buffer.alloc(size);
    const reader = sealed?.reader(descriptor);
    for (let filled = 0; filled < size; ) {
      const count = (await reader?.(bytes.subarray(filled), filled)) ?? 0;
      if (count === 0) throw new Error(`only ${filled} of ${size} bytes`);
      filled += count;
    }
    return bytes;
  } finally {
    fs.closeSync(descriptor);
  }
}

const MARK = Buffer.from('canary of a shared file');

test.each([0, 1, 65_439, 65_440, 65_441, 300_000])('%i bytes come back to another session, and none of them is on the disk', async (size) => {
  const bytes = Buffer.concat([MARK, sample(size)]).subarray(0, size);
  const [writer, reader] = [new Tally(), new Tally()];
  const written = await shared(ONE, writer).write(inChunks(bytes, 1_000));
  expect(written.size).toBe(size);
  const taken = shared(OTHER, reader).take(written.name);
  written.release();
  expect(taken.size).toBe(size);
  expect((await contentOf(taken)).equals(bytes)).toBe(true);
  expect(treeHas(bucket, MARK)).toEqual([]);
  expect(reader.taken).toBeGreaterThanOrEqual(fs.statSync(taken.path).size);
  taken.release();
  expect([writer.taken, reader.taken]).toEqual([0, 0]);
});

test('what fails in the middle leaves nothing, plain or not', async () => {
  const tally = new Tally();
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.concat([MARK, sample(200_000)]);
    expect(treeHas(bucket, MARK)).toEqual([]);
    throw new Error('enough');
  }
  await expect(shared(ONE, tally).write(failing())).rejects.toThrow('enough');
  expect(tally.taken).toBe(0);
  expect(fs.readdirSync(path.join(bucket, 'swap', ONE))).toEqual([]);
});

/** What taking and reading it gives: the bytes, or a code. */
async function outcome(files: SharedFiles, name: string): Promise<Buffer | string> {
  try {
    const taken = files.take(name);
    try {
      return await contentOf(taken);
    } finally {
      taken.release();
    }
  } catch (error) {
    return `${(error as { code?: string }).code ?? ''} ${(error as Error).message}`;
  }
}

/** The attacks that a variant of the product lets through. */
async function successes(variant: Pick<typeof Product, 'SharedFiles' | 'FileSealing'>): Promise<string[]> {
  const files = shared(ONE, new Tally(), variant);
  const [a, b] = [await files.write(inChunks(sample(70_000, 1), 50_000)), await files.write(inChunks(sample(70_000, 2), 50_000))];
  const [rawA, rawB] = [a, b].map((file) => fs.readFileSync(file.path)) as [Buffer, Buffer];
  const tree = variant === product ? new FileSealing(keysOf()) : new variant.FileSealing(keysOf());
  const found: string[] = [];
  const attempt = async (what: string, raw: Uint8Array): Promise<void> => {
    fs.writeFileSync(a.path, raw);
    const result = await outcome(files, a.name);
    if (typeof result !== 'string') found.push(what);
    else if (!result.startsWith('EDAMAGED') || !result.includes(bucket)) found.push(`${what}: ${result}`);
  };
  await attempt('another file of the same kind', rawB);
  await attempt('the blocks of another file', Buffer.concat([rawA.subarray(0, 64), rawB.subarray(64)]));
  const place = path.join(bucket, 'file');
  const descriptor = fs.openSync(place, 'w+');
  const draft = tree.draft(descriptor, place, 'whole');
  draft.write(sample(70_000, 3), 0);
  draft.finish();
  fs.closeSync(descriptor);
  await attempt('a file of the tree', fs.readFileSync(place));
  await attempt('nothing', new Uint8Array(0));
  await attempt('plain bytes', sample(70_000, 1));
  for (let at = 0; at < rawA.length; at += 4_999) {
    const changed = Buffer.from(rawA);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await attempt('a changed byte', changed);
  }
  for (const length of [63, 64, 65_536, rawA.length - 1]) await attempt('less', rawA.subarray(0, length));
  fs.writeFileSync(a.path, rawA);
  expect((await outcome(files, a.name) as Buffer).equals(sample(70_000, 1))).toBe(true);
  if (treeHas(bucket, Buffer.from(sample(70_000, 1).subarray(0, 32))).some((name) => name.includes('swap'))) found.push('plain');
  return [...new Set(found)];
}

test('one that was changed, cut, or put in the place of another is an error that names the place', async () => {
  expect(await successes(product)).toEqual([]);
});

const mutants: readonly (Mutant & { readonly lets: string })[] = [
  { what: 'shared files are bound to nothing', file: 'disk/encryption/files/file-cipher.ts', from: "purposeOf('file blocks', grid, ...place)", to: "purposeOf('file blocks', grid)", lets: 'another file of the same kind' },
  { what: 'all shared files have one place', file: 'disk/tree/shared-files.ts', from: 'return sealing.bound(`swap/${name}`);', to: "return sealing.bound('swap/' + typeof name);", lets: 'another file of the same kind' },
  { what: 'shared files are encrypted as those of the tree', file: 'disk/tree/shared-files.ts', from: 'return sealing.bound(`swap/${name}`);', to: 'return name === sealing.toString() ? sealing.bound(name) : sealing;', lets: 'a file of the tree' },
  { what: 'an empty shared file is believed', file: 'disk/encryption/files/file-sealing.ts', from: "if (this.#place.length > 0) throw damaged(path, 'which has no header');", to: '', lets: 'nothing' },
];

test.each(mutants)('it would be noticed if $what', async ({ lets, ...mutant }) => {
  const broken = await loadMutant<typeof Product>(new URL('shared-files.product.ts', import.meta.url), mutant);
  expect(await successes(broken)).toContain(lets);
});

test('a plain temporary file would be noticed', async () => {
  const broken = await loadMutant<typeof Product>(new URL('shared-files.product.ts', import.meta.url), { what: 'shared files are written plain', file: 'disk/tree/swap.ts', from: 'sealing && (() => sealing.draft(descriptor, path, form))', to: 'sealing && undefined' });
  const written = await shared(ONE, new Tally(), broken).write(inChunks(MARK, 100));
  expect(treeHas(bucket, MARK)).not.toEqual([]);
  written.release();
});
