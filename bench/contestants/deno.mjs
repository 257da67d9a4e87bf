// Started with --location. Its locks end at the process.
export function open() {
  return { localStorage: globalThis.localStorage, locks: navigator.locks, caches: globalThis.caches };
}
