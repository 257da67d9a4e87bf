import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { StorageClient, StorageHost } from '../../src/index.ts';
import { A, B, openHost, temporary } from './support.ts';

/** 5 GiB takes a few seconds of CPU: HOLDFAST_LARGE=1 has it so. */
const SIZE = (process.env['HOLDFAST_LARGE'] === '1' ? 5 * 1024 : 128) * 2 ** 20;

const marks = [0, 3 * 2 ** 20 + 5, SIZE / 2 - 3, SIZE - 7];

async function sparseFile(client: StorageClient, last: number): Promise<void> {
  const file = await (await client.storage.getDirectory()).getFileHandle('sparse', { create: true });
  const handle = await file.createSyncAccessHandle();
  handle.truncate(SIZE);
  for (const at of marks.slice(0, last)) handle.write(Buffer.from(`mark ${marks.indexOf(at)}`), { at });
  handle.close();
}

async function read(client: StorageClient): Promise<string[]> {
  const file = await (await (await client.storage.getDirectory()).getFileHandle('sparse')).getFile();
  expect(file.size).toBe(SIZE);
  return Promise.all(marks.map((at) => file.slice(at, at + 6).text()));
}

const pathIn = (host: StorageHost, origin: string): string => path.join(host.root, 'origins', origin, 'default', 'files.0', 'sparse');

test.each([[marks.length], [2], [0]])('a file with holes stays one, in bounded memory, as others read it too (%i extents)', async (last) => {
  const host = openHost();
  await sparseFile(host.origin(A), last);
  const file = path.join(temporary(), 'a.tar');
  let largest = 0;
  const written = fs.openSync(file, 'w');
  for await (const piece of (await host.exportOrigin(A)) as unknown as AsyncIterable<Uint8Array>) {
    fs.writeSync(written, piece);
    largest = Math.max(largest, process.memoryUsage().arrayBuffers);
  }
  fs.closeSync(written);
  expect(fs.statSync(file).size).toBeLessThan(2 ** 20);
  expect(largest).toBeLessThan(200 * 2 ** 20);
  const before = process.memoryUsage().arrayBuffers;
  await host.importOrigin(fs.createReadStream(file) as AsyncIterable<Uint8Array>, { origin: B });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 2 ** 20);
  expect(await read(host.origin(B))).toEqual(await read(host.origin(A)));
  expect(fs.statSync(pathIn(host, 'https_b.example')).blocks * 512).toBeLessThan(2 ** 20);
  const out = temporary();
  expect(execFileSync('tar', ['tf', file], { encoding: 'utf8' })).toContain('https_a.example/default/files/sparse\n');
  execFileSync('tar', ['xf', file, '-C', out]);
  const extracted = path.join(out, 'https_a.example/default/files/sparse');
  expect(fs.statSync(extracted).size).toBe(SIZE);
  const descriptor = fs.openSync(extracted, 'r');
  const found = marks.map((at) => {
    const bytes = Buffer.alloc(6);
    fs.readSync(descriptor, bytes, 0, 6, at);
    return bytes.toString();
  });
  fs.closeSync(descriptor);
  expect(found.slice(0, last)).toEqual(marks.slice(0, last).map((_, index) => `mark ${index}`));
}, 600_000);

test('a file that is written to in place while it is read is begun anew, and comes whole', async () => {
  const host = openHost();
  const directory = await host.origin(A).storage.getDirectory();
  const handle = await (await directory.getFileHandle('busy', { create: true })).createSyncAccessHandle();
  const size = 4 * 2 ** 20;
  handle.write(new Uint8Array(size).fill(1));
  const pieces: Uint8Array[] = [];
  let seen = 0;
  for await (const piece of (await host.exportOrigin(A)) as unknown as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    if (piece.length > 4096 && (seen += 1) === 2) {
      // A change that a file system with coarse times tells.
      handle.truncate(size + 1);
      handle.write(new Uint8Array(size + 1).fill(2), { at: 0 });
    }
  }
  handle.close();
  const archive = Buffer.concat(pieces);
  expect(archive.includes('#void ')).toBe(true);
  await host.importOrigin((async function* () {
    yield archive;
  })(), { origin: B });
  const file = await (await (await host.origin(B).storage.getDirectory()).getFileHandle('busy')).getFile();
  expect(file.size).toBe(size + 1);
  expect(new Set(await file.bytes())).toEqual(new Set([2]));
});
