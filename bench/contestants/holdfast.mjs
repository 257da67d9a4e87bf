import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { install, StorageHost } from 'holdfast';
import { configuration, openPool } from './sqlite-wasm.mjs';

const origin = 'https://bench.example';

export function open(root) {
  const host = new StorageHost({ root });
  const client = host.origin(origin);
  return {
    localStorage: client.localStorage,
    getDirectory: () => client.storage.getDirectory(),
    locks: client.locks,
    get caches() {
      return client.caches;
    },
    get indexedDB() {
      return client.indexedDB;
    },
    get BroadcastChannel() {
      return client.BroadcastChannel;
    },
    root,
    openDatabase: async () => {
      install({ host, origin, globals: ['navigator.storage'] });
      globalThis.sqlite3ApiConfig = configuration;
      const wasm = import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
      const { default: init } = await import(new URL('index.mjs', wasm).href);
      return openPool(init, { wasmBinary: await readFile(fileURLToPath(wasm)) });
    },
  };
}
