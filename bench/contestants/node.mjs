// Started with --localstorage-file. Its locks and channels end at the process.
export function open() {
  return { localStorage: globalThis.localStorage, locks: navigator.locks, BroadcastChannel: globalThis.BroadcastChannel };
}
