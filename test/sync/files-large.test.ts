import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Blobs } from '../../src/sync/files/blobs.ts';
import { garbageCollector } from '../file-system/support.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { atEnd, converge, LOG, Region } from './files-regions.ts';

const MIB = 2 ** 20;

const collect = garbageCollector();

/** Blobs in a folder, and the most memory that buffers held whenever one was asked for: not what waits to be collected. */
class FolderBlobs implements Blobs {
  peak = 0;
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-blobs-'));

  /** The hub's log, which takes only entries whose blobs it has: it is given their names. */
  readonly #log: Blobs;

  constructor(engine: MemoryEngine) {
    this.#log = memoryHub(engine).log(LOG);
    atEnd(() => fs.rmSync(this.#folder, { recursive: true, force: true }));
  }

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    this.#measure();
    await fs.promises.writeFile(path.join(this.#folder, name), bytes);
    await this.#log.putBlob(name, new Uint8Array(0));
  }

  async getBlob(name: string): Promise<Uint8Array | null> {
    this.#measure();
    return fs.promises.readFile(path.join(this.#folder, name)).catch(() => null);
  }

  async hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(names.filter((name) => fs.existsSync(path.join(this.#folder, name))));
  }

  get count(): number {
    return fs.readdirSync(this.#folder).length;
  }

  #measure(): void {
    collect();
    this.peak = Math.max(this.peak, process.memoryUsage().arrayBuffers);
  }
}

/** Pieces of a mebibyte, each another. */
function* pieces(count: number): Generator<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(crypto.randomBytes(MIB));
  for (let index = 0; index < count; index += 1) {
    new DataView(piece.buffer).setUint32(0, index);
    yield piece;
  }
}

async function digestOf(region: Region, name: string): Promise<string> {
  const hash = crypto.createHash('sha256');
  for await (const bytes of (await (await region.file(name)).getFile()).stream() as AsyncIterable<Uint8Array>) hash.update(bytes);
  return hash.digest('hex');
}

describe('a file of 100 MiB and a byte', () => {
  it('comes to another region whole, in little memory', async () => {
    const engine = new MemoryEngine();
    const blobs = new FolderBlobs(engine);
    const a = new Region({ engine, name: 'a', blobs });
    const b = new Region({ engine, name: 'b', blobs });
    const expected = crypto.createHash('sha256');
    const handle = await (await a.file('f', true)).createSyncAccessHandle();
    for (const piece of pieces(100)) {
      handle.write(piece);
      expected.update(piece);
    }
    handle.write(Uint8Array.of(1));
    handle.close();
    collect();
    const before = process.memoryUsage().arrayBuffers;
    await converge(a, b);
    expect(b.isStub('f')).toBe(true);
    expect(await digestOf(b, 'f')).toBe(expected.update(Uint8Array.of(1)).digest('hex'));
    expect(blobs.count).toBe(101);
    expect(blobs.peak - before).toBeLessThan(64 * MIB);
  });
});
