import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { atEnd } from '../host/support.ts';

const run = promisify(execFile);
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** What a user's program may write, with the built package's types. */
const program = `
import 'holdfast/globals';
import { HoldfastError, install, serializeHandle, StorageHost } from 'holdfast';
import type { StorageClient } from 'holdfast';

const storage: Storage = localStorage;
storage.setItem('a', 'b');
const value: string | null = sessionStorage.getItem('a');
const event: StorageEvent = new StorageEvent('storage', { key: 'k', storageArea: storage });
const root: FileSystemDirectoryHandle = await navigator.storage.getDirectory();
const file: FileSystemFileHandle = await root.getFileHandle('f', { create: true });
const writable = await file.createWritable();
await writable.write('x');
const length: number = await navigator.locks.request('l', (lock) => lock?.name.length ?? 0);
const observer = new FileSystemObserver((records) => records.length);
await observer.observe(await navigator.storage.getDirectory(), { recursive: true });
observer.disconnect();

await using host = new StorageHost({ root: './data', quota: 5, durability: 'strict' });
using visitor: StorageClient = host.client('https://a.example', { url: '/x' });
visitor.addEventListener('storage', (event) => event.key?.length ?? event.type);
visitor.onstorage = (event) => event.newValue;
const result: number = host.run(visitor, () => 5);
const undo: () => void = install({ host, exposure: 'window' });
const handle = host.deserializeHandle(serializeHandle(await visitor.storage.getDirectory()), visitor);
export { event, handle, HoldfastError, length, result, undo, value };
`;

/** What the compiler says of the program, with these libraries. */
async function compile(lib: string[]): Promise<string> {
  const directory = fs.mkdtempSync(path.join(checkout, '.cache', 'types-'));
  atEnd(() => fs.rmSync(directory, { recursive: true, force: true }));
  fs.writeFileSync(path.join(directory, 'program.mts'), program);
  const compilerOptions = { target: 'es2022', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false, types: ['node'], lib };
  fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.mts'] }));
  const compiler = path.join(checkout, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [compiler, '-p', directory]).catch((error: { stdout: string }) => error);
  return stdout;
}

const basis = ['es2023', 'esnext.disposable'];

test.each([
  ['neither DOM nor worker library', basis],
  ['lib.dom', [...basis, 'dom', 'dom.asynciterable']],
  ['lib.webworker', [...basis, 'webworker']],
])('a program that uses all of it compiles with %s', async (_name, lib) => {
  expect(await compile(lib)).toBe('');
});
