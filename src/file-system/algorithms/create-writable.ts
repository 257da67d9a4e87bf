import { internal } from '../../webidl/interface.ts';
import type { Entry } from '../entry.ts';
import { handleError } from '../errors.ts';
import { writableFileStreamInterface } from '../writable-file-stream.ts';
import type { FileSystemWritableFileStream, FileSystemWritableFileStreamMode } from '../writable-file-stream.ts';
import { FileWriter } from './file-writer.ts';
import { dropped, lockOrFail, requireFile } from './hold.ts';
import { withContent } from './with-content.ts';

/**
 * https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createwritable
 *
 * The swap file is made now, so that a root that cannot be written is known before anything is. What is not kept is not
 * fetched.
 */
export async function createWritable(
  entry: Entry,
  keepExistingData: boolean,
  mode: FileSystemWritableFileStreamMode,
  context: string,
): Promise<FileSystemWritableFileStream> {
  const lock = await lockOrFail(entry, mode, context);
  const { system, locator } = entry;
  try {
    requireFile(entry, context);
    const swap = await withContent(entry, context, () => system.tree.swap(keepExistingData ? locator : undefined));
    const writer = new FileWriter(system, locator, swap, lock);
    const Stream = writableFileStreamInterface();
    const stream = new Stream(internal, writer, mode);
    dropped.register(stream, writer);
    return stream;
  } catch (error) {
    lock.release();
    throw handleError(error, entry, context);
  }
}
