// What a host that is to sync everything warns of: [root].
import process from 'node:process';
import { StorageHost } from 'holdfast';

const codes = [];
const host = new StorageHost({ root: process.argv[2], durability: 'strict', onWarning: ({ code }) => codes.push(code) });
for (const origin of ['https://one.example', 'https://two.example']) host.origin(origin).localStorage.setItem('k', 'v');
const handle = await (await host.origin('https://one.example').storage.getDirectory()).getFileHandle('f', { create: true });
const access = await handle.createSyncAccessHandle();
access.flush();
access.close();
await host.close();
console.log(codes.join());
