import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../wpt/project.ts';
import { hasCheckout } from './checkout.ts';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function wpt(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(projectRoot, 'wpt', 'wpt.mjs'), ...args], { env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

let empty: string;

beforeAll(() => {
  empty = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-wpt-cli-'));
});

afterAll(() => fs.rmSync(empty, { recursive: true }));

describe('a wrong command line', () => {
  it.each([
    ['an unknown command', ['nonsense'], 'Usage'],
    ['no command', [], 'Usage'],
    ['an unknown flag', ['run', '--nonsense'], "Unknown option '--nonsense'"],
    ['a number that is none', ['run', '--jobs=many'], "--jobs takes a whole number from 1, not 'many'"],
    ['a part of the tests for the report', ['report', 'fs/'], 'The report is of a whole run'],
  ])('%s is one clear line and exit code 2', async (_, args, message) => {
    const { code, stderr } = await wpt(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.skipIf(!hasCheckout)('a path that no test has is one clear line and exit code 2', async () => {
    expect(await wpt(['run', 'fs/nonsense'])).toEqual({ code: 2, stdout: '', stderr: "No test file begins with 'fs/nonsense'\n" });
  });
});

describe('a folder of tests that is not the pinned one', () => {
  it('is refused when it is missing', async () => {
    const { code, stderr } = await wpt(['fetch'], { WPT_DIR: path.join(empty, 'missing') });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^WPT_DIR: .*missing is not a folder.*\n$/);
  });

  it('is refused when it lacks a suite', async () => {
    const { code, stderr } = await wpt(['fetch'], { WPT_DIR: empty });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^WPT_DIR: .* has no \w+.*\n$/);
  });

  it.skipIf(!hasCheckout)('is refused when a file that decides results is another', async () => {
    const copy = path.join(empty, 'copy');
    fs.cpSync(fs.realpathSync(path.join(projectRoot, 'wpt', 'checkout')), copy, { recursive: true, filter: (file) => !file.includes('IndexedDB/') });
    fs.appendFileSync(path.join(copy, 'resources', 'testharness.js'), '// changed');
    const { code, stderr } = await wpt(['fetch'], { WPT_DIR: copy });
    expect(code).toBe(2);
    expect(stderr).toMatch(/testharness\.js is not that of commit/);
  });
});
