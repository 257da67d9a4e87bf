import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_OPERATION } from '../../src/disk/replica/operation.ts';
import { LINK } from '../../src/disk/replica/replica-kinds.ts';
import { encodeLink } from '../../src/disk/replica/replica-records.ts';
import { writeStub } from '../../src/disk/tree/stub.ts';
import { CHANGE, encodeChange } from '../../src/sync/files/change.ts';
import type { Step } from '../../src/sync/files/change.ts';
import { MemoryEngine } from '../support/memory-hub.ts';
import { converge, hubLog, lostTo, Region, twoRegions, until } from './files-regions.ts';

describe('content that the hub has lost or damaged', () => {
  const losses: Record<string, (bytes: Uint8Array) => Uint8Array | null> = {
    'is missing': () => null,
    'is shorter': (bytes) => bytes.subarray(1),
    'is longer': (bytes) => Buffer.concat([bytes, bytes]),
    'is other bytes of the same length': (bytes) => bytes.map((byte) => byte ^ 1),
    'is zeros': (bytes) => bytes.map(() => 0),
  };

  it.each(Object.entries(losses).flatMap(([name, lose]) => [true, false].map((eager) => ({ name, lose, eager }))))(
    'is an error for whoever reads the file: $name, eager: $eager',
    async ({ lose, eager }) => {
      const [a, b] = twoRegions(eager);
      const { blobs } = hubLog(a.engine);
      await b.disconnect();
      await a.write('f', 'x'.repeat(2 ** 20) + 'content');
      await converge(a);
      const [name = '', bytes = Buffer.alloc(0)] = [...blobs].at(-1) ?? [];
      const lost = lose(bytes);
      if (lost === null) blobs.delete(name);
      else blobs.set(name, lost);
      b.connect();
      await converge(a, b);
      const handle = await b.file('f');
      await expect(handle.getFile()).rejects.toMatchObject({ name: 'NotReadableError' });
      await expect(handle.createSyncAccessHandle()).rejects.toMatchObject({ name: 'NotReadableError' });
      await expect(handle.createWritable({ keepExistingData: true })).rejects.toMatchObject({ name: 'NotReadableError' });
      expect(fs.readdirSync(path.join(b.bucket, 'swap', b.locks.folder))).toEqual([]);
      blobs.set(name, bytes);
      expect(await b.read('f')).toBe('x'.repeat(2 ** 20) + 'content');
    },
  );

  it('is sent again by a region that has it, to a hub that is a new one', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'of a');
    await b.write('g', 'of b');
    await converge(a, b);
    a.engine.logs.clear();
    for (const region of [a, b]) {
      await region.disconnect();
      region.connect();
    }
    await converge(a, b);
    for (const region of [a, b]) expect(await region.content()).toEqual({ f: 'of a', g: 'of b' });
    expect(a.sync.conflicts()).toEqual([]);
  });

  it('does not go with what a new hub puts in its place', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'of a');
    await converge(a, b);
    await a.disconnect();
    await b.close();
    a.engine.logs.clear();
    const c = new Region({ engine: a.engine, name: 'c' });
    await c.write('f', 'of c');
    await converge(c);
    a.connect();
    await converge(a, c);
    expect(await a.content()).toEqual({ f: 'of c' });
    expect(await lostTo(c)).toEqual([['f', 'of a', 'a', 'c']]);
  });
});

describe('a hub that never answers', () => {
  it('is no reason not to end', async () => {
    const engine = new MemoryEngine();
    const silent = (): Promise<never> => new Promise(() => undefined);
    const a = new Region({ engine, blobs: { putBlob: silent, getBlob: silent, hasBlobs: silent } });
    await a.write('f', 'content');
    await until(() => a.sync.uncaptured > 0);
    const captured = a.sync.captured();
    await a.close();
    await captured;
    const [again, other] = [new Region({ engine, directory: a.directory }), new Region({ engine })];
    await converge(again, other);
    expect(await other.content()).toEqual({ f: 'content' });
  });
});

describe('a disk that is damaged', () => {
  it('and has lost all files at once does not remove them elsewhere', async () => {
    const [a, b] = twoRegions(true);
    await a.write('d/f', 'content');
    await converge(a, b);
    const { position } = a;
    await a.sync.stop();
    const files = path.join(a.bucket, 'files.0');
    fs.renameSync(files, `${files}-away`);
    a.sync.start();
    await until(() => a.problems.some((problem) => problem.includes('missing')));
    fs.renameSync(`${files}-away`, files);
    await converge(a, b);
    for (const region of [a, b]) expect(await region.content()).toEqual({ 'd/': '', 'd/f': 'content' });
    expect(a.position).toBe(position);
  });

  const stubOf = (region: Region): string => path.join(region.bucket, 'files.0/f');

  /** Changes the last byte of a stub, and nothing that a look would tell. */
  function damage(file: string): void {
    const { atime, mtime } = fs.statSync(file);
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    fs.utimesSync(file, atime, mtime);
  }

  it('costs nothing where the journal knows what a stub said', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    await b.sync.stop();
    damage(stubOf(b));
    const { applied } = b.journal.state();
    const state = applied.get(['f']);
    const look = b.tree.look(['f']);
    if (state?.kind === 'file' && look?.kind === 'file') {
      b.journal.appendApplied([{ locator: ['f'], state: { ...state, fingerprint: look.fingerprint } }]);
    }
    expect(await b.read('f')).toBe('content');
  });

  it('gets another stub where the journal knows of none such', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    await b.close();
    damage(stubOf(b));
    const again = new Region({ engine: a.engine, name: 'b', directory: b.directory });
    await converge(a, again);
    expect(await again.content()).toEqual({ f: 'content' });
    expect(await a.content()).toEqual({ f: 'content' });
  });

  it('never gives the bytes of a stub that nobody can read', async () => {
    const engine = new MemoryEngine();
    const a = new Region({ engine, name: 'a' });
    await a.write('f', 'content');
    await converge(a);
    await a.sync.stop();
    await a.disconnect();
    const swap = await a.tree.swap();
    writeStub(swap, Buffer.from('nonsense'));
    await a.tree.replace(swap, ['g']);
    await expect(a.read('g')).rejects.toMatchObject({ name: 'NotReadableError' });
    a.begin();
    await converge(a);
    expect(a.sync.conflicts()).toEqual([]);
    await expect(a.read('g')).rejects.toMatchObject({ name: 'NotReadableError' });
    expect(await a.read('f')).toBe('content');
  });
});

describe('a region that means harm', () => {
  /** Sends a change as if it had been found on the disk of `region`. */
  function send(region: Region, steps: readonly Step[]): void {
    region.journal.known.replica.local({ session: 7, sequence: 7, kind: CHANGE, payload: encodeChange({ region: 'x', steps }) });
    region.sync.journal.append(LINK, encodeLink({ connected: true, time: 0, head: 0, hub: '', problem: '', code: '' }));
  }

  it('cannot get out of the bucket, nor stop the others', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'content');
    await converge(a, b);
    const manifest = { size: 1, lastModified: 0, chunks: new Uint8Array(32) };
    const before = fs.readdirSync(b.bucket).sort();
    send(a, [{ type: 'file', locator: ['..', 'evil'], expected: NO_OPERATION, manifest }]);
    await until(() => b.position === 2);
    await b.write('g', 'still works');
    await converge(a, b);
    for (const region of [a, b]) expect(await region.content()).toEqual({ f: 'content', g: 'still works' });
    expect(fs.readdirSync(b.bucket).sort()).toEqual(before);
  });

  it('can name chunks that there are not; whoever reads them is told', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'content');
    await converge(a, b);
    const manifest = { size: 2 ** 20 + 5, lastModified: 8.64e15, chunks: new Uint8Array(64) };
    send(a, [{ type: 'file', locator: ['g'], expected: NO_OPERATION, manifest }]);
    await until(() => b.position === 2);
    await converge(a, b);
    for (const region of [a, b]) await expect(region.read('g')).rejects.toMatchObject({ name: 'NotReadableError' });
    expect(await b.read('f')).toBe('content');
  });
});
