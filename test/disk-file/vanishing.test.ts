import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fileFromDisk } from '../../src/runtime/disk-file.ts';

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-vanishing-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true, force: true });
});

it.each(['the file', 'its directory'])('a File whose path vanishes with %s while it is made cannot be read', async (what) => {
  const folder = path.join(directory, 'folder');
  const file = path.join(folder, 'f');
  fs.mkdirSync(folder);
  fs.writeFileSync(file, 'hello');
  const state = fs.statSync(file, { bigint: false });
  const { openAsBlob } = fs;
  vi.spyOn(fs, 'openAsBlob').mockImplementation((...args) => {
    fs.rmSync(what === 'the file' ? file : folder, { recursive: true, force: true });
    return openAsBlob(...args);
  });
  const made = await fileFromDisk({ path: file, name: 'f', type: '', state });
  expect([made.name, made.size]).toEqual(['f', 5]);
  await expect(made.text()).rejects.toMatchObject({ name: 'NotFoundError' });
  await expect(made.slice(1).text()).rejects.toMatchObject({ name: 'NotFoundError' });
  await expect(new Blob([made]).text()).rejects.toMatchObject({ name: 'NotReadableError' });
});
