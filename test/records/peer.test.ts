import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { isEncrypted } from '../support/sealed.ts';
import { nodeWithSqlite } from './support/other-node.ts';

const ENCRYPTED = "A runtime's own SQLite encrypts nothing, and this origin is encrypted";

let directory: string;
let program: string;

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-peer-'));
  program = path.join(directory, 'program.mjs');
  fs.copyFileSync(await bundleFixture(new URL('core/peer-run.ts', import.meta.url)), program);
});

afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

const run = (node: string): string[] => execFileSync(node, ['--no-warnings', program], { cwd: directory, encoding: 'utf8' }).trim().split('\n');

test.runIf(nodeWithSqlite !== process.execPath)('a runtime without SQLite says which package it needs, and that it is to be installed', () => {
  const needs = (why: string): string => expect.stringMatching(new RegExp(`^RecordsUnavailableError: ${why}: IndexedDB needs the package @sqlite\\.org/sqlite-wasm here, 3[-.\\w]+ or later\\. Install it\\.$`)) as string;
  const message = needs('Node 20[0-9.]* has no SQLite of its own');
  expect(run(process.execPath)).toEqual([message, message, isEncrypted ? needs(ENCRYPTED) : message]);
});

test.runIf(nodeWithSqlite !== null)("a runtime that has SQLite needs the package for others' databases only", () => {
  const [other, own, made] = run(nodeWithSqlite ?? '');
  expect(other).toMatch(/@sqlite\.org\/sqlite-wasm.*Install it/);
  expect(own).toBe('ok');
  expect(made).toMatch(isEncrypted ? new RegExp(`${ENCRYPTED}.*@sqlite\\.org/sqlite-wasm.*Install it`) : /^ok$/);
});

test.runIf(nodeWithSqlite !== process.execPath)('a version of the package that cannot be loaded is not taken for a fault of the database', () => {
  const folder = path.join(directory, 'node_modules/@sqlite.org/sqlite-wasm');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  fs.writeFileSync(path.join(folder, 'index.js'), 'self.location;');
  const message = expect.stringMatching(/^RecordsUnavailableError: .*@sqlite\.org\/sqlite-wasm here, 3[-.\w]+ or later\. What is installed fails to load \(self is not defined\)\.$/) as string;
  expect(run(process.execPath)).toEqual([message, message, message]);
});
