import fs from 'node:fs';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { fsyncLater } from '../../runtime/more-descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { systemCode } from './tree-error.ts';

/** Flushes a file to the disk, in another thread. */
export function syncFile(descriptor: number, path: string): Promise<void> {
  return fsyncLater(descriptor, path);
}

/** Flushes a directory's names to the disk. Windows cannot open one; its volumes journal their names. */
export function syncDirectory(path: string): void {
  let descriptor: number;
  try {
    descriptor = withDescriptor(() => fs.openSync(path, fs.constants.O_RDONLY));
  } catch (error) {
    if (['EISDIR', 'EPERM'].includes(systemCode(error) ?? '')) return;
    throw error;
  }
  try {
    fsync(descriptor, path);
  } finally {
    fs.closeSync(descriptor);
  }
}
