// Reads a root on a file system that cannot be written, and tries to write.
import { StorageHost } from '../../src/host/storage-host.ts';

const client = new StorageHost({ root: process.argv[2] ?? '' }).origin('https://app.example');
const directory = await client.storage.getDirectory();
const text = await (await (await directory.getFileHandle('file')).getFile()).text();
const { usage } = await client.storage.estimate();
const persist = await client.storage.persist();
let error: unknown;
try {
  client.localStorage.setItem('name', 'other');
} catch (thrown) {
  error = (thrown as { cause: { code: string } }).cause.code;
}
console.log(JSON.stringify({ value: client.localStorage.getItem('name'), text, usage, persist, error }));
process.exit();
