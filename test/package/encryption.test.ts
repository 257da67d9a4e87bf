import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';

// What the built package loads, as the runtime itself tells it: every script that it has compiled.

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = fileURLToPath(new URL('fixtures/store.mjs', import.meta.url));
const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0)) fs.rmSync(directory, { recursive: true });
});

/** Texts of the files of the package that were loaded, by their names. */
type Told = ReadonlyMap<string, string>;

const start = ['--import', 'holdfast/globals', '-e', "localStorage.setItem('k', 'v'); localStorage.getItem('k')"];

async function told(how: 'start' | 'all', ...key: 'key'[]): Promise<Told> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-loaded-'));
  made.push(directory);
  const coverage = path.join(directory, 'coverage');
  const root = path.join(directory, 'root');
  await promisify(execFile)(process.execPath, ['--no-warnings', ...(how === 'start' ? start : [program, root, ...key])], {
    cwd: repository,
    env: { ...process.env, HOLDFAST_ROOT: root, NODE_V8_COVERAGE: coverage },
  });
  const scripts = fs.readdirSync(coverage).flatMap((name) => (JSON.parse(fs.readFileSync(path.join(coverage, name), 'utf8')) as { result: { url: string }[] }).result);
  const files = scripts.map(({ url }) => url).filter((url) => url.includes('/dist/'));
  return new Map(files.map((url) => [path.basename(url), fs.readFileSync(fileURLToPath(url), 'utf8')]));
}

/** Calls, and the place where the build takes the module from the runtime. */
const ciphers = /\bcreate(Cipheriv|Decipheriv|SecretKey)\(/;
const crypto = /built-in:node:crypto|from\s*"node:crypto"/;

const having = (loaded: Told, what: RegExp): string[] => [...loaded].filter(([, text]) => what.test(text)).map(([name]) => name);

test('a plain start loads neither node:crypto nor anything of encryption', async () => {
  const loaded = await told('start');
  expect(loaded.size).toBeGreaterThan(1);
  expect(having(loaded, crypto)).toEqual([]);
  expect(loaded.has('encryption.js')).toBe(false);
});

test('a plain program loads nothing of encryption, whatever it uses; an encrypted one does', async () => {
  const [plain, encrypted] = await Promise.all([told('all'), told('all', 'key')]);
  expect(plain.size).toBeGreaterThan(10);
  expect(plain.has('encryption.js')).toBe(false);
  expect(having(plain, ciphers)).toEqual([]);
  expect(having(encrypted, ciphers)).toContain('encryption.js');
  expect(having(encrypted, crypto)).not.toEqual([]);
});
