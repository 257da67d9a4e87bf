import { webcrypto } from 'node:crypto';
import fs from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// As in a runtime whose WebCrypto is the quicker one.
vi.mock('../../../src/runtime/quicker-subtle.ts', () => ({ quickerSubtle: () => webcrypto.subtle }));

// The setup of all tests has loaded them already, as they are in this runtime.
vi.resetModules();
const { inPieces } = await import('../../../src/disk/tree/in-pieces.ts');
const { sample, TestFile } = await import('./support.ts');

const SIZE = 1_200_000;
const bytes = sample(SIZE, 1);

let file: InstanceType<typeof TestFile>;
beforeEach(() => void (file = new TestFile()));
afterEach(() => file.remove());

function write(size: number): void {
  const content = file.draft('whole');
  content.write(bytes.subarray(0, size), 0);
  content.finish();
}

async function read(from: number, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length);
  const reader = inPieces(file.open('beside-readers'));
  let filled = 0;
  for (let count = -1; count !== 0 && filled < length; filled += count) count = await reader(into.subarray(filled), from + filled);
  return into.subarray(0, filled);
}

const BLOCK = 65_504;

test('what is decrypted in another thread is what was written', async () => {
  const decrypt = vi.spyOn(webcrypto.subtle, 'decrypt');
  write(SIZE);
  const lengths = fc.oneof(fc.integer({ min: 65_537, max: 300_000 }), fc.constantFrom(65_537, BLOCK + 66_000, 2 ** 20, 2 ** 20 + 1, SIZE + 5));
  const starts = fc.oneof(fc.nat(SIZE), fc.constantFrom(0, BLOCK - 64, BLOCK - 65, 2 * BLOCK - 64, SIZE - 1, SIZE));
  await fc.assert(
    fc.asyncProperty(starts, lengths, async (start, length) => (await read(start, length)).equals(bytes.subarray(start, start + length))),
    { numRuns: 25 },
  );
  expect(decrypt.mock.calls.length).toBeGreaterThan(25);
});

test('blocks that were changed are errors, and those before them are what they were', async () => {
  write(SIZE);
  const raw = fs.readFileSync(file.path);
  for (const at of [0, 64, 70_000, 3 * 65_536, raw.length - 1]) {
    const changed = Uint8Array.from(raw);
    changed[at] = (changed[at] ?? 0) ^ 1;
    fs.writeFileSync(file.path, changed);
    await expect(read(0, SIZE), `byte ${at}`).rejects.toThrow('EDAMAGED');
    const before = Math.max(0, Math.floor(at / 65_536) * BLOCK - 64);
    if (before > 65_537) expect((await read(0, before)).equals(bytes.subarray(0, before))).toBe(true);
  }
});
