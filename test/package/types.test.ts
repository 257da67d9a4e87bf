import { describe, expect, test } from 'vitest';
import { compile, compilerOf } from './compilers.ts';
import { snippets } from './snippets.ts';

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

/** What the guides import and the project has not installed. */
const elsewhere = `
declare module 'jest-environment-node' {
  export class TestEnvironment {
    global: typeof globalThis;
    setup(): Promise<void>;
    teardown(): Promise<void>;
  }
}
`;

/** Everything that the package exports, so that all of its declarations are read. */
const exported = ['holdfast', 'holdfast/globals', 'holdfast/sync', 'holdfast/sync/contract'].map((name) => `export * from '${name}';`).join('\n');

const basis = ['es2023', 'esnext.disposable'];
const libraries = { 'neither DOM nor worker library': basis, 'lib.dom': [...basis, 'dom', 'dom.asynciterable'], 'lib.webworker': [...basis, 'webworker'] };

describe.each(['5.4', '5', '6', '7'])('with TypeScript %s', (version) => {
  test.for(Object.entries(libraries))('all snippets of the guides, and a program that uses everything, compile with %s', { timeout: 300_000 }, async ([, lib], { skip }) => {
    const compiler = await compilerOf(version).catch((error: Error) => skip(`TypeScript ${version} is not to be had: ${error.message}`));
    expect(await compile(compiler, lib, { ...snippets(), 'elsewhere.d.ts': elsewhere, 'program.mts': program, 'exported.mts': exported })).toBe('');
  });
});
