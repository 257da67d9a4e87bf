// META: title=Key-value store on localStorage
// META: script=/ours/resources/key-value-spec.js
'use strict';

function openLocalStore(name) {
  const prefix = `${encodeURIComponent(name)}:`;
  const read = (key) => {
    const text = localStorage.getItem(prefix + key);
    return text === null ? undefined : JSON.parse(text);
  };
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const setMany = (pairs) => {
    const texts = pairs.map(([key, value]) => [key, JSON.stringify(value)]);
    for (const [key, text] of texts) localStorage.setItem(prefix + key, text);
  };
  const deleteMany = (given) => given.forEach((key) => localStorage.removeItem(prefix + key));
  return {
    get: read,
    getMany: (given) => given.map(read),
    keys,
    entries: () => keys().map((key) => [key, read(key)]),
    set: (key, value) => setMany([[key, value]]),
    setMany,
    update: (key, updater) => setMany([[key, updater(read(key))]]),
    delete: (key) => deleteMany([key]),
    deleteMany,
    clear: () => deleteMany(keys()),
  };
}

keyValueTests(openLocalStore);
