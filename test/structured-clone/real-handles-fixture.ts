// A thread with Holdfast's globals: writes through the handles that it gets, and sends one of its own back.
// argv: the root and the thread's origin.
import { parentPort, workerData } from 'node:worker_threads';
import { install } from '../../src/host/install/install.ts';
import type { FileSystemDirectoryHandle } from '../../src/file-system/index.ts';
import { encrypted } from '../support/sealed.ts';

const [, , root = '', origin = ''] = process.argv;
install({ root, origin, structuredClone: true, ...encrypted });
const { directory } = workerData as { directory?: FileSystemDirectoryHandle };

interface Message {
  directory: FileSystemDirectoryHandle;
}

async function write(target: FileSystemDirectoryHandle, name: string, text: string): Promise<object> {
  const file = await target.getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  await writable.write(text);
  await writable.close();
  return file;
}

parentPort?.on('message', (message: Message) => {
  void (async () => {
    const file = await write(message.directory, 'from the thread', 'written in the thread');
    const same = directory === undefined ? null : await directory.isSameEntry(message.directory);
    parentPort?.postMessage({ file, same });
  })();
});
parentPort?.on('messageerror', (error: Error) => parentPort?.postMessage({ error: error.name }));
