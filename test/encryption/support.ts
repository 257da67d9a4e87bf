import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseKeyFile } from '../../src/disk/encryption/key-file.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';

/** The files below a directory, relative to it. */
export function filesIn(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => fs.lstatSync(path.join(directory, name), { throwIfNoEntry: false })?.isFile() === true);
}

/** What there is in a directory: each file with a digest of its bytes. */
export function snapshotOf(directory: string): Record<string, string> {
  return Object.fromEntries(filesIn(directory).map((name) => [name, createHash('sha256').update(fs.readFileSync(path.join(directory, name))).digest('hex')]));
}

/** The files and directories in which, or in whose names, there is a text: in UTF-8, UTF-16 or Latin-1. */
export function treeHas(directory: string, canary: string | Buffer): string[] {
  const forms = typeof canary === 'string' ? (['utf8', 'utf16le', 'latin1'] as const).map((encoding) => Buffer.from(canary, encoding)) : [canary];
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const bytes = Buffer.concat([Buffer.from(name), contentOf(path.join(directory, name))]);
    return forms.some((form) => bytes.includes(form));
  });
}

/** Nothing of a directory, and of what somebody else has removed meanwhile. */
export function contentOf(file: string): Buffer {
  if (fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return Buffer.alloc(0);
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** The code of a HoldfastError that is thrown, or that what is thrown is caused by. */
export function codeBehind(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    for (let at: unknown = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) if (at instanceof HoldfastError) return at.code;
    throw error;
  }
  return 'nothing was thrown';
}

export function codeOfCause(error: unknown): string {
  return codeBehind(() => {
    throw error;
  });
}

/** The same of what a promise rejects with. */
export async function codeLater(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing was thrown';
  } catch (error) {
    return codeOfCause(error);
  }
}

/** The ids of the data keys that the file of keys of `https://a.example` has; docs/FORMAT.md. */
export function idsIn(root: string): number[] {
  const { bytes, kms } = parseKeyFile(fs.readFileSync(path.join(root, 'origins/https_a.example/keys')), 'https://a.example');
  return Array.from({ length: bytes.readUInt16LE(68) }, (_, index) => bytes.readUInt32LE(72 + kms.length + 68 * index)).filter((id) => id > 0);
}
