// Uses all that Holdfast has once. What a program passes in is made by `make`, which evaluates an expression: in this
// realm, or in another one. Without a test library, for the realm may be one in which none would work.

function same(actual, expected, what) {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: ${got} instead of ${wanted}`);
}

async function rejects(promise, name, what) {
  const error = await promise.then(() => undefined, (reason) => reason);
  same(error?.name, name, `${what} (${error?.stack})`);
  return error;
}

/** A Blob as another library makes it. */
const foreignBlob = `(() => {
  class Blob {
    #bytes;
    type = '';
    constructor(text) { this.#bytes = Uint8Array.from(text, (unit) => unit.charCodeAt(0)); }
    get size() { return this.#bytes.length; }
    slice() { return this; }
    async arrayBuffer() { return this.#bytes.buffer; }
    async text() { return String.fromCharCode(...this.#bytes); }
    async *stream() { yield this.#bytes; }
  }
  return new Blob('blob');
})()`;

/** What a writable takes, and the text that becomes of it. */
const chunks = [
  ["'text'", 'text'],
  ["new String('object')", 'object', 'data'],
  ["Uint8Array.from([98, 117, 102]).buffer", 'buf'],
  ["Uint8Array.from([97, 114, 114])", 'arr'],
  ["new Uint16Array([26984, 26984])", 'hihi'],
  ["new DataView(Uint8Array.from([0, 118, 105, 101, 119]).buffer, 1)", 'view'],
  [foreignBlob, 'blob'],
  ["new Date(NaN)", 'Invalid Date', 'data'],
  ["[1, 2]", '1,2', 'data'],
];

/** Node 20 cannot make any stream once `Object.prototype` has a `get`. */
function canMakeStreams() {
  try {
    return new WritableStream() && true;
  } catch {
    return false;
  }
}

async function write(file, chunk) {
  const writable = await file.createWritable();
  await writable.write(chunk);
  await writable.close();
  return (await file.getFile()).text();
}

async function useStreams(root, make) {
  const file = await root.getFileHandle('chunks', make('({ create: true })'));
  for (const [source, text, only] of chunks) {
    if (only !== 'data') same(await write(file, make(source)), text, source);
    same(await write(file, make(`({ type: 'write', position: 1, data: ${source} })`)), `\0${text}`, `data: ${source}`);
  }
  await rejects(write(file, make("({ type: 'write', data: new Uint8Array(new SharedArrayBuffer(2)) })")), 'TypeError', 'shared bytes');
  await rejects(write(file, make("({ type: 'nothing' })")), 'TypeError', 'an unknown command');
  const read = await file.getFile();
  const texts = [await read.text(), await read.slice(1).text(), new TextDecoder().decode(await read.arrayBuffer())];
  for await (const bytes of read.stream()) texts.push(new TextDecoder().decode(bytes));
  same([read.name, ...texts], ['chunks', '\0' + '1,2', '1,2', '\0' + '1,2', '\0' + '1,2'], 'a File');
}

export async function useFiles(root, make) {
  if (canMakeStreams()) await useStreams(root, make);
  await useSyncAccess(await root.getFileHandle('sync', { create: true }), make);
  await useDirectories(root, make);
}

async function useSyncAccess(file, make) {
  const access = await file.createSyncAccessHandle(make("({ mode: 'readwrite' })"));
  same(access.write(make('Uint8Array.from([1, 2, 3])')), 3, 'write of a view');
  same(access.write(make('Uint8Array.from([4, 5]).buffer'), make('({ at: 3 })')), 2, 'write of a buffer');
  same(access.write(make('new DataView(Uint8Array.from([6]).buffer)')), 1, 'write of a DataView');
  same(access.write(make('(() => { const bytes = new Uint8Array(new SharedArrayBuffer(1)); bytes[0] = 7; return bytes; })()')), 1, 'write of shared bytes');
  access.flush();
  for (const source of ['new ArrayBuffer(7)', 'new SharedArrayBuffer(7)', 'new Uint8Array(7)', 'new Int8Array(new SharedArrayBuffer(7))']) {
    const target = make(source);
    same(access.read(target, make('({ at: 0 })')), 7, `read into ${source}`);
    same([...new Uint8Array(target.buffer ?? target)], [1, 2, 3, 4, 5, 6, 7], source);
  }
  await rejects(file.createWritable(), 'NoModificationAllowedError', 'a file that is in use');
  access.truncate(2);
  same(access.getSize(), 2, 'getSize');
  access.close();
}

async function useDirectories(root, make) {
  const directory = await root.getDirectoryHandle('directory', make('({ create: true })'));
  const inner = await directory.getFileHandle('inner', { create: true });
  same(await Array.fromAsync?.(directory.keys()) ?? ['inner'], ['inner'], 'keys');
  const names = [];
  for await (const [name, handle] of directory) names.push(name, handle.kind, await handle.isSameEntry(inner));
  same(names, ['inner', 'file', true], 'entries');
  same(await root.resolve(inner), ['directory', 'inner'], 'resolve');
  await rejects(root.getFileHandle('missing'), 'NotFoundError', 'a missing file');
  await rejects(root.getFileHandle('directory'), 'TypeMismatchError', 'a directory');
  await rejects(root.getFileHandle('a/b', { create: true }), 'TypeError', 'a bad name');
  await rejects(root.removeEntry('directory'), 'InvalidModificationError', 'a directory that is not empty');
  for (let name = 0; name < 200; name++) await directory.getFileHandle(`${name}`, { create: true });
  await inner.move('moved');
  same(await root.resolve(inner), ['directory', 'moved'], 'move');
  await root.removeEntry('directory', make('({ recursive: true })'));
}

export async function useLocks(locks, make) {
  same(await locks.request('l', make('(lock) => Promise.resolve(lock.name)')), 'l', 'a callback');
  same(await locks.request('l', make("({ mode: 'shared' })"), make('({ mode }) => mode')), 'shared', 'options');
  const error = await rejects(locks.request('l', make("() => { throw new RangeError('from the callback'); }")), 'RangeError', 'a callback that throws');
  same(error.message, 'from the callback', 'its error');
  let free;
  const held = locks.request('l', () => new Promise((resolve) => (free = resolve)));
  same(await locks.request('l', make('({ ifAvailable: true })'), (lock) => lock), null, 'a lock that is held');
  same((await locks.query()).held.map(({ name }) => name), ['l'], 'query');
  const waiting = locks.request('l', () => 'granted');
  const abort = make(`(() => {
    const listeners = new Set();
    const signal = { aborted: false, reason: undefined, addEventListener: (type, listener) => listeners.add(listener), removeEventListener: (type, listener) => listeners.delete(listener) };
    return { signal, abort() { signal.aborted = true; signal.reason = new TypeError('aborted'); for (const listener of listeners) listener({ type: 'abort' }); } };
  })()`);
  const aborted = locks.request('l', { signal: abort.signal }, () => 'not granted');
  await locks.query();
  abort.abort();
  await rejects(aborted, 'TypeError', 'a signal');
  free();
  await held;
  same(await waiting, 'granted', 'a lock that was waited for');
  await rejects(locks.request('-', () => 0), 'NotSupportedError', 'a bad name');
}

export function useStorage(storage, make) {
  storage.clear();
  storage.setItem(make("new String('item')"), make('({ toString: () => "value" })'));
  storage.named = make('[1, 2]');
  same([storage.item, storage.getItem('item'), storage.named, storage.length], ['value', 'value', '1,2', 2], 'items');
  same([Object.keys(storage), JSON.stringify(storage)], [['item', 'named'], '{"item":"value","named":"1,2"}'], 'keys');
  same([delete storage.named, 'named' in storage, storage.getItem('named')], [true, 'named' in Object.prototype, null], 'delete');
  Object.defineProperty(storage, 'defined', { __proto__: null, value: 'by a descriptor', configurable: true, enumerable: true, writable: true });
  same(Object.getOwnPropertyDescriptor(storage, 'defined').value, 'by a descriptor', 'a descriptor');
  for (const name of ['get', 'set', 'value', 'VERSION', '__proto__']) {
    storage.setItem(name, name);
    same(storage.getItem(name), name, `the key ${name}`);
  }
  let error;
  try {
    storage.setItem('large', 'x'.repeat(2000));
  } catch (thrown) {
    error = thrown;
  }
  same([error?.name, error?.quota], ['QuotaExceededError', 2000], 'the quota');
}

async function useObserver(client, FileSystemObserver) {
  const root = await client.storage.getDirectory();
  let observer;
  const seen = new Promise((resolve) => (observer = new FileSystemObserver((records) => resolve(records[0]))));
  await observer.observe(root);
  await root.getFileHandle('observed', { create: true });
  const { type, relativePathComponents } = await seen;
  same([type, relativePathComponents], ['appeared', ['observed']], 'a record');
  observer.disconnect();
}

async function useEvents(host, make) {
  const [one, two] = [host.client('https://events.example'), host.client('https://events.example')];
  const heard = new Promise((resolve) => two.addEventListener('storage', resolve, make('({ once: true })')));
  one.localStorage.setItem('k', 'v');
  const { type, key, newValue, storageArea } = await heard;
  same([type, key, newValue, storageArea === two.localStorage], ['storage', 'k', 'v', true], 'an event');
  one.close();
  two.close();
}

async function useGlobals({ install }, host, make) {
  const target = make('({})');
  const undo = install({ host, origin: make("({ href: 'https://globals.example/path', protocol: 'https:' })"), target, events: true, globals: make("['localStorage', 'navigator.storage', 'navigator.locks']") });
  target.localStorage.setItem('k', 'v');
  same(host.origin('https://globals.example').localStorage.getItem('k'), 'v', 'an installed global');
  await target.navigator.locks.request('l', () => 0);
  undo();
  same(Reflect.ownKeys(target), [], 'what an install leaves');
}

async function useStructuredClone({ install }, host, make) {
  // jsdom has none.
  if (typeof structuredClone !== 'function') return;
  const undo = install({ host, origin: 'https://clone.example', structuredClone: true });
  try {
    const handle = await host.origin('https://clone.example').storage.getDirectory();
    const message = make('(handle) => ({ handle, list: [handle], map: new Map([[1, handle]]), set: new Set([handle]), date: new Date(5), bytes: Uint8Array.of(1) })')(handle);
    const copy = structuredClone(message);
    const handles = [copy.handle, copy.list[0], copy.map.get(1), [...copy.set][0]];
    same(await Promise.all(handles.map((each) => each.isSameEntry(handle))), [true, true, true, true], 'handles in a message');
    same([copy.date.getTime(), [...copy.bytes]], [5, [1]], 'the rest of a message');
  } finally {
    undo();
  }
}

/** @param root the path of a directory that is not there yet */
export async function useEverything(holdfast, root, make) {
  const href = `file://${root}`;
  const host = new holdfast.StorageHost({ root: make(`({ href: ${JSON.stringify(href)}, protocol: 'file:' })`), quota: (origin) => (origin === 'https://small.example' ? { localStorage: 2000 } : 1e8) });
  const client = host.origin(make("({ href: 'https://app.example/', protocol: 'https:' })"));
  const small = host.origin('https://small.example');
  useStorage(small.localStorage, make);
  useStorage(small.sessionStorage, make);
  await useFiles(await client.storage.getDirectory(), make);
  await useLocks(client.locks, make);
  await useEvents(host, make);
  await useObserver(client, holdfast.FileSystemObserver);
  await useGlobals(holdfast, host, make);
  await useStructuredClone(holdfast, host, make);
  same(typeof (await client.storage.estimate()).usage, 'number', 'estimate');
  await host.close();
}
