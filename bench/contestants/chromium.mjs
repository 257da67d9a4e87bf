// Runs in a page, or in its worker, where there is no localStorage.
import { configuration, openPool } from './sqlite-wasm.mjs';

export function open() {
  return {
    localStorage: globalThis.localStorage,
    getDirectory: () => navigator.storage.getDirectory(),
    locks: navigator.locks,
    indexedDB: globalThis.indexedDB,
    caches: globalThis.caches,
    openDatabase: async () => {
      globalThis.sqlite3ApiConfig = configuration;
      const { default: init } = await import('/sqlite/index.mjs');
      return openPool(init);
    },
  };
}
