// localForage with its IndexedDB driver, unmodified. It looks for `self.indexedDB` when it is loaded. Steps: fill, query, add <who> <times>.
globalThis.self ??= globalThis;
const { default: localforage } = await import('localforage');

const [, , step, who, times] = process.argv;
const store = localforage.createInstance({ name: 'forage', driver: localforage.INDEXEDDB });
await store.ready();

if (step === 'fill') {
  await store.setItem('object', { deep: { list: [1, 2, 3] } });
  await store.setItem('bytes', new Uint8Array([1, 2, 3]));
  await Promise.all(Array.from({ length: 30 }, (_, n) => store.setItem(`key ${n}`, n)));
  await store.removeItem('key 7');
}
for (let n = 0; step === 'add' && n < Number(times); n++) await store.setItem(`${who} ${n}`, { who, n });
console.log(
  JSON.stringify({
    driver: store.driver(),
    length: await store.length(),
    object: await store.getItem('object'),
    bytes: [...((await store.getItem('bytes')) ?? [])],
    gone: await store.getItem('key 7'),
  }),
);
