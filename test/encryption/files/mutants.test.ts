import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Content } from '../../../src/disk/tree/content.ts';
import { loadMutant } from '../../support/mutant.ts';
import type { Mutant } from '../../support/mutant.ts';
import * as product from './product.ts';
import { keysOf, readAll, sample, TestFile, writeAll } from './support.ts';

let file: TestFile;
beforeEach(() => void (file = new TestFile()));
afterEach(() => file.remove());

type Product = Pick<typeof product, 'FileSealing'>;

/** What must hold, in so few words that it can be asked of each broken variant: the first that does not. */
function firstFault({ FileSealing }: Product): string | null {
  const sealing = new FileSealing(keysOf());
  const open = (): Content => sealing.open(file.descriptor(), file.path, 'alone');
  const readsAs = (raw: Uint8Array): Buffer | null => {
    file.raw = raw;
    try {
      return readAll(open());
    } catch {
      return null;
    }
  };
  const content = sample(13_000);
  writeAll(open(), content);
  const { raw } = file;
  if (!readsAs(raw)?.equals(content)) return 'reads';
  if (raw.includes(content.subarray(5_000, 5_016))) return 'no plain byte';
  if (readsAs(Buffer.concat([raw.subarray(0, 4_096), raw.subarray(8_192, 12_288), raw.subarray(4_096, 8_192), raw.subarray(12_288)])) !== null) return 'swapped';
  if (readsAs(Buffer.concat([raw.subarray(0, 4_096), Buffer.alloc(4_096), raw.subarray(8_192)])) !== null) return 'zeroed';
  const flagged = Buffer.from(raw);
  flagged[6] = 1;
  if (readsAs(flagged) !== null) return 'flags';
  const flipped = Buffer.from(raw);
  flipped[5_000] = (flipped[5_000] ?? 0) ^ 1;
  if (readsAs(flipped) !== null) return 'flipped';
  file.raw = raw;
  open().truncate(9_000);
  if (!isCutCleanly(open(), content.subarray(0, 9_000))) return 'cut';
  file.raw = Buffer.alloc(0);
  if (!isReadAnew(open())) return 'stale';
  file.raw = Buffer.alloc(0);
  const draft = sealing.draft(file.descriptor(), file.path, 'whole');
  writeAll(draft, sample(150_000));
  draft.finish();
  file.raw = file.raw.subarray(0, 2 ** 17);
  if (opens(open)) return 'length';
  return null;
}

function opens(open: () => Content): boolean {
  try {
    return open().size() > 0;
  } catch {
    return false;
  }
}

/** What is written behind what was read in order is what is read next. */
function isReadAnew(content: Content): boolean {
  writeAll(content, sample(80_000));
  const piece = Buffer.alloc(4_096);
  for (let at = 0; at < 40_960; at += 4_096) content.read(piece, at);
  writeAll(content, sample(20_000, 2), 40_960);
  content.read(piece, 40_960);
  return piece.equals(sample(4_096, 2));
}

/** What was cut off does not come back. */
function isCutCleanly(content: Content, kept: Uint8Array): boolean {
  try {
    content.truncate(11_000);
    return readAll(content).equals(Buffer.concat([kept, Buffer.alloc(2_000)]));
  } catch {
    return false;
  }
}

const files = 'disk/encryption/files';
const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'blocks without their number', fault: 'swapped', file: `${files}/file-cipher.ts`, from: 'this.#place.writeUInt32LE(block % 2 ** 32, 0);', to: '' },
  { what: 'blocks that are not authenticated', fault: 'swapped', file: `${files}/file-cipher.ts`, from: '      decipher.final();\n', to: '' },
  { what: 'zeros that are always holes', fault: 'zeroed', file: `${files}/file-cipher.ts`, from: 'this.header.hasHoles && stored', to: 'stored' },
  { what: 'headers that are not authenticated', fault: 'flags', file: `${files}/file-cipher.ts`, from: 'isAuthentic(bytes.subarray(0, HEADER_BYTES), cipher.#macKey)', to: 'true' },
  { what: 'a cut that leaves what was there', fault: 'cut', file: `${files}/sealed-content.ts`, from: 'this.#shorten(cipher, block, content.subarray(0, kept))', to: 'this.#shorten(cipher, block, content)' },
  { what: 'what was read ahead of a write', fault: 'stale', file: `${files}/read-ahead.ts`, from: '  forget(): void {\n    this.#length = 0;', to: '  forget(): void {' },
  { what: 'a length that is not looked at', fault: 'length', file: `${files}/file-sealing.ts`, from: 'return grid.stored(header.sealed) === fs.fstatSync(descriptor).size', to: 'return true' },
];

describe('a broken variant is noticed', () => {
  test('the product itself has no fault', () => {
    expect(firstFault(product)).toBeNull();
  });

  test.each(mutants)('$what', async ({ fault, ...mutant }) => {
    const broken = await loadMutant<Product>(new URL('product.ts', import.meta.url), mutant);
    expect(firstFault(broken)).toBe(fault);
  });
});
