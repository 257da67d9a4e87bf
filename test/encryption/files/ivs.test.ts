import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadMutant } from '../../support/mutant.ts';
import { keysOf, sample, TestFile, writeAll } from './support.ts';
import type * as Product from './product.ts';

let file: TestFile;
beforeEach(() => void (file = new TestFile()));
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  file.remove();
});

/** The IVs of all blocks that are written while `body` runs. */
function ivsOf(body: () => void): string[] {
  const ivs: string[] = [];
  const { createCipheriv } = crypto;
  const spy = vi.spyOn(crypto, 'createCipheriv').mockImplementation(((...args: Parameters<typeof createCipheriv>) => {
    if (args[0] === 'aes-256-gcm') ivs.push(Buffer.from(args[2] as Uint8Array).toString('hex'));
    return createCipheriv(...args);
  }) as typeof createCipheriv);
  syncBuiltinESMExports();
  body();
  spy.mockRestore();
  syncBuiltinESMExports();
  return ivs;
}

/** The runtime's random numbers and the kernel's are always the same. */
function repeatRandomness(): void {
  const { readSync } = fs;
  const fill = (bytes: Uint8Array): Uint8Array => bytes.fill(7);
  vi.spyOn(crypto, 'randomFillSync').mockImplementation(fill as never);
  vi.spyOn(fs, 'readSync').mockImplementation(((descriptor: number, bytes: Uint8Array, ...rest: unknown[]) => {
    const isDevice = fs.readlinkSync(`/proc/self/fd/${descriptor}`) === '/dev/urandom';
    return isDevice ? fill(bytes).length : (readSync as (...args: unknown[]) => number)(descriptor, bytes, ...rest);
  }) as never);
  syncBuiltinESMExports();
}

function work({ FileSealing }: Pick<typeof Product, 'FileSealing'>): void {
  const sealing = new FileSealing(keysOf());
  const content = sealing.open(file.descriptor(), file.path, 'alone');
  for (let round = 0; round < 40; round += 1) {
    writeAll(content, sample(9_000), round * 3_000);
    writeAll(content, sample(10), 5);
    content.truncate(1_000 + round * 100);
  }
}

describe('no IV of a run is there twice', () => {
  test('as random numbers are', async () => {
    const product = (await import('./product.ts')) as typeof Product;
    const ivs = ivsOf(() => work(product));
    expect(ivs.length).toBeGreaterThan(200);
    expect(new Set(ivs).size).toBe(ivs.length);
  });

  test('also where each random number is the same', async () => {
    const product = (await import('./product.ts')) as typeof Product;
    repeatRandomness();
    const ivs = ivsOf(() => work(product));
    expect(ivs.length).toBeGreaterThan(200);
    expect(new Set(ivs).size).toBe(ivs.length);
  });

  test('which a variant without the number does not hold', async () => {
    const product = await loadMutant<typeof Product>(new URL('product.ts', import.meta.url), {
      what: 'IVs without a number',
      file: 'disk/encryption/files/ivs.ts',
      from: '(drawn += 1)',
      to: '1',
    });
    repeatRandomness();
    vi.spyOn(process, 'hrtime').mockReturnValue([1, 1]);
    const ivs = ivsOf(() => work(product));
    expect(new Set(ivs).size).toBeLessThan(ivs.length);
  });
});

test('two machines that were resumed from one image draw others, for their clocks or their kernels differ', async () => {
  const { drawIvs } = (await import('./product.ts')) as typeof Product;
  const one = Buffer.from(drawIvs(4)).toString('hex');
  expect(one.length).toBe(128);
  expect(one).not.toBe(Buffer.from(drawIvs(4)).toString('hex'));
});
