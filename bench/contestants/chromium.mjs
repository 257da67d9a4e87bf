// Runs in a page, or in its worker, where there is no localStorage.
export function open() {
  return {
    localStorage: globalThis.localStorage,
    getDirectory: () => navigator.storage.getDirectory(),
    locks: navigator.locks,
  };
}
