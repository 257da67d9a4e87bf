import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { isAbortSignal, isThenable, isUrl } from '../../src/runtime/brands.ts';
import { isArrayBuffer, isBlob, isSharedArrayBuffer, isUint8Array } from '../../src/runtime/byte-brands.ts';
import { errorCode, errorMessage, errorsWithin, isDOMException, isError, isTypeError } from '../../src/runtime/errors.ts';

const run = promisify(execFile);
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const everything = fileOf('../runtimes/programs/everything.mjs');

function newRoot(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-realms-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'root');
}

test.each([
  ['with arguments of another realm', ['nothing', newRoot, 'other-realm']],
  ['with properties on Object.prototype', ['pollute', newRoot]],
  ['with timers and clocks faked before it is loaded', ['fake-timers', newRoot]],
  ['with timers and clocks faked after it was loaded', ['fake-timers', newRoot, 'late']],
  ['with timers mocked by node:test before it is loaded', ['mock-timers', newRoot]],
  ['with timers mocked by node:test after it was loaded', ['mock-timers', newRoot, 'late']],
])('everything works %s', async (_how, words) => {
  const args = words.map((word) => (typeof word === 'string' ? word : word()));
  expect((await run(process.execPath, [everything, ...args])).stdout).toBe('everything was used\n');
});

test('everything works when it is loaded in another realm than the main one, as test runners do', async () => {
  const program = new URL('../runtimes/programs/surface.mjs', import.meta.url).href;
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const args = ['--experimental-vm-modules', '--no-warnings', fileOf('fixtures/inside-context.mjs'), index, program, newRoot()];
  const { stdout, stderr } = await run(process.execPath, args);
  expect({ stdout, stderr }).toEqual({ stdout: 'everything was used\n', stderr: '' });
});

/** Evaluates an expression in this realm and in another one. */
const both = (expression: string): unknown[] => [(0, eval)(expression), runInNewContext(expression)];

test.each([
  ['new ArrayBuffer(1)', isArrayBuffer],
  ['(() => { const buffer = new ArrayBuffer(1); globalThis.structuredClone?.(buffer, { transfer: [buffer] }); return buffer; })()', isArrayBuffer],
  ['new SharedArrayBuffer(1)', isSharedArrayBuffer],
  ['new Uint8Array(1)', isUint8Array],
  ['new (class extends Uint8Array {})(1)', isUint8Array],
  ['Promise.resolve()', isThenable],
  ['new Error("no")', isError],
  ['new TypeError("no")', isTypeError],
])('%s is what it is, of whatever realm', (expression, is: (value: unknown) => boolean) => {
  expect(both(expression).map(is)).toEqual([true, true]);
});

test.each([
  ['Object.create(ArrayBuffer.prototype)', isArrayBuffer],
  ['new SharedArrayBuffer(1)', isArrayBuffer],
  ['new Uint8Array(1)', isArrayBuffer],
  ['new ArrayBuffer(1)', isSharedArrayBuffer],
  ['new Int8Array(1)', isUint8Array],
  ['Object.create(Uint8Array.prototype)', isUint8Array],
  ['new ArrayBuffer(1)', isBlob],
  ['new Uint8Array(1)', isBlob],
  ['"text"', isBlob],
  ['[]', isBlob],
  ['({ type: "write", size: 1 })', isBlob],
  ['({ aborted: false })', isAbortSignal],
  ['"https://app.example"', isUrl],
  ['({ code: "ENOENT" })', isError],
  ['null', isError],
  ['(() => {})', isThenable],
])('%s is nothing else, of whatever realm', (expression, is: (value: unknown) => boolean) => {
  expect(both(expression).map(is)).toEqual([false, false]);
});

test('what only inherits from a class of the platform is none of its objects', () => {
  expect([isBlob(Object.create(Blob.prototype)), isAbortSignal(Object.create(AbortSignal.prototype)), isUrl(Object.create(URL.prototype))]).toEqual([false, false, false]);
  expect([isBlob(new File([], 'f')), isAbortSignal(new AbortController().signal), isUrl(new URL('https://app.example'))]).toEqual([true, true, true]);
});

test('errors are read alike, of whatever realm', () => {
  for (const error of both('Object.assign(new Error("no"), { code: "ENOENT" })')) expect([errorCode(error), errorMessage(error)]).toEqual(['ENOENT', 'no']);
  for (const error of both('new AggregateError([1, 2])')) expect(errorsWithin(error)).toEqual([1, 2]);
  expect([errorCode(undefined), errorMessage(undefined), errorsWithin('text')]).toEqual(['', 'undefined', []]);
  expect([isDOMException(new DOMException('no', 'DataCloneError')), isDOMException(new Error('no'))]).toEqual([true, false]);
});
