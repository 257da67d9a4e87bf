import fs from 'node:fs';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { systemCode } from './disk-error.ts';
import { closeQuietly } from './generation-file.ts';

/** Systems that cannot open or sync a directory say so with one of these; their entries need no sync from us. */
const unsupported = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP']);

/** Makes the entries of a directory durable. */
export function syncDirectory(directory: string): void {
  try {
    const descriptor = withDescriptor(() => fs.openSync(directory, fs.constants.O_RDONLY));
    try {
      fsync(descriptor, directory);
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    if (!unsupported.has(systemCode(error))) throw error;
  }
}
