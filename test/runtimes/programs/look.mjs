// Looks at the globals that Holdfast installs, and uses them. argv: 'import' to import the door itself.
import process from 'node:process';

const warnings = [];
process.on('warning', ({ message }) => warnings.push(message));
if (process.argv[2] === 'import') await import('holdfast/globals');

const before = localStorage.getItem('visits');
localStorage.visits = Number(before) + 1;
sessionStorage.setItem('k', 'v');
const root = await navigator.storage.getDirectory();
const file = await root.getFileHandle('hello.txt', { create: true });
const handle = await file.createSyncAccessHandle();
handle.write(new TextEncoder().encode('hello'), { at: 0 });
handle.close();

const ours = /^(Storage|StorageEvent|StorageManager|FileSystem\w+|Lock|LockManager|QuotaExceededError)$/;
console.log(
  JSON.stringify({
    interfaces: Object.getOwnPropertyNames(globalThis).filter((name) => ours.test(name)).sort(),
    // SSR libraries take a runtime with these for a browser.
    never: ['window', 'document'].filter((name) => name in globalThis),
    before,
    file: await (await file.getFile()).text(),
    lock: await navigator.locks.request('l', ({ name }) => name),
    kept: Number(localStorage.visits) === Number(before) + 1 && sessionStorage.k === 'v',
    isStorage: localStorage instanceof Storage && navigator.locks instanceof LockManager,
    warnings,
  }),
);
