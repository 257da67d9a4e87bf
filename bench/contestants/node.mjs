// Started with --localstorage-file. Its locks end at the process.
export function open() {
  return { localStorage: globalThis.localStorage, locks: navigator.locks };
}
