import { expect, test } from 'vitest';
import { some } from '../support/thorough.ts';
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
const bucket: StorageBucket = await navigator.storageBuckets.open('drafts', { durability: 'strict' });
const draft: FileSystemFileHandle = await (await bucket.getDirectory()).getFileHandle('f');

await using host = new StorageHost({ root: './data', quota: 5, durability: 'strict' });
using visitor: StorageClient = host.client('https://a.example', { url: '/x' });
visitor.addEventListener('storage', (event) => event.key?.length ?? event.type);
visitor.onstorage = (event) => event.newValue;
const result: number = host.run(visitor, () => 5);
const undo: () => void = install({ host, exposure: 'window' });
const handle = host.deserializeHandle(serializeHandle(await visitor.storage.getDirectory()), visitor);
export { bucket, draft, event, handle, HoldfastError, length, result, undo, value };
`;

/** Options that a program has, or not: from its environment, or from a configuration. */
const maybe = `
import { install, StorageHost } from 'holdfast';
import { embeddedHub, natsHub, postgresHub, startHub } from 'holdfast/sync';

declare const text: string | undefined;
declare const number: number | undefined;
declare const flag: boolean | undefined;
declare const signal: AbortSignal | undefined;

const hub = flag ? embeddedHub({ url: 'http://127.0.0.1:1', token: text, tls: undefined }) : postgresHub({ connectionString: text, schema: text, poolSize: number });
const other = natsHub({ servers: text, user: text, pass: text, token: text });
await startHub({ root: 'hub', token: text, port: number, host: text, tls: undefined });
const sync = { hub: flag ? hub : other, region: 'r', origins: undefined, files: undefined };
const host = new StorageHost({ root: 'data', quota: number && { total: number, localStorage: number }, durability: undefined, shared: undefined, onWarning: undefined, sync });
const client = host.client('https://a.example', { url: text });
install({ host, origin: text, events: flag, exposure: undefined, globals: undefined, native: undefined });
void client.locks.request('l', { signal, steal: flag, mode: undefined }, () => 5);
await client.sync?.flush({ signal });
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
const exported = ['holdfast', 'holdfast/globals', 'holdfast/sync', 'holdfast/sync/contract', 'holdfast/inspector'].map((name) => `export * from '${name}';`).join('\n');

const basis = ['es2023', 'esnext.disposable'];
const precise = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
const libraries = { 'neither DOM nor worker library': basis, 'lib.dom': [...basis, 'dom', 'dom.asynciterable'], 'lib.webworker': [...basis, 'webworker'] };

/** With each compiler, and each library. */
const pairs = ['5.4', '5', '6', '7'].flatMap((version) => Object.entries(libraries).map(([library, lib]) => ({ version, library, lib })));

test.for(some(pairs, 'types', 4))('with TypeScript $version all snippets of the guides, and a program that uses everything, compile with $library', { timeout: 300_000 }, async ({ version, lib }, { skip }) => {
  const compiler = await compilerOf(version).catch((error: Error) => skip(`TypeScript ${version} is not to be had: ${error.message}`));
  expect(await compile(compiler, lib, { ...snippets(), 'elsewhere.d.ts': elsewhere, 'program.mts': program, 'exported.mts': exported })).toBe('');
});

test.for(['5.4', '7'])('with the most precise checks of TypeScript %s all of it compiles, and an option that is undefined is one that was not given', { timeout: 300_000 }, async (version, { skip }) => {
  const compiler = await compilerOf(version).catch((error: Error) => skip(`TypeScript ${version} is not to be had: ${error.message}`));
  const files = { ...snippets(), 'elsewhere.d.ts': elsewhere, 'program.mts': program, 'exported.mts': exported, 'maybe.mts': maybe };
  expect(await compile(compiler, libraries['lib.dom'], files, precise)).toBe('');
});
