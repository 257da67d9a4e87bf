// What the interfaces' methods do. Loaded as one module when the first of them is called.
export { openDirectory } from './children.ts';
export { getDirectoryHandle, getFileHandle } from './get.ts';
export { getFile } from './get-file.ts';
export { move } from './move.ts';
export { observe } from './observe.ts';
export { remove, removeEntry } from './remove.ts';
export { createSyncAccessHandle } from './create-sync-access-handle.ts';
export { createWritable } from './create-writable.ts';
export { uniqueId } from './unique-id.ts';
