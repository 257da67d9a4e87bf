'use strict';

// What a key-value store does, whatever it stands on. `openStore(name)` gives a store with get, getMany, keys, entries,
// set, setMany, update, delete, deleteMany and clear; their results may be promises.
function keyValueTests(openStore) {
  let stores = 0;
  const storeTest = (body, name) => promise_test(async (t) => {
    const store = openStore(`store ${++stores}`);
    await store.clear();
    t.add_cleanup(() => store.clear());
    await body(t, store);
  }, name);

  storeTest(async (t, store) => {
    assert_equals(await store.get('missing'), undefined);
    await store.set('key', 'value');
    assert_equals(await store.get('key'), 'value');
    await store.set('key', 'other');
    assert_equals(await store.get('key'), 'other');
  }, 'get gives what set has set, and undefined before');

  storeTest(async (t, store) => {
    for (const value of ['', 'text', 0, -1.5, true, false, null, [1, [2]], { a: { b: 'c' } }, 'x'.repeat(100_000), '\u{1F980}']) {
      await store.set('value', value);
      assert_equals(JSON.stringify(await store.get('value')), JSON.stringify(value));
    }
  }, 'values come back as they were');

  storeTest(async (t, store) => {
    const keys = ['', ' ', '.', '..', 'a/b', 'a\\b', '__proto__', 'constructor', 'length', 'key', '\u0000', '\u{1F980}', 'k'.repeat(1_000)];
    for (const key of keys) await store.set(key, `value of ${key}`);
    for (const key of keys) assert_equals(await store.get(key), `value of ${key}`);
    assert_array_equals((await store.keys()).sort(), [...keys].sort());
  }, 'any text is a key');

  storeTest(async (t, store) => {
    await store.setMany([['a', 1], ['b', 2], ['c', 3]]);
    assert_array_equals(await store.getMany(['c', 'missing', 'a']), [3, undefined, 1]);
    await store.deleteMany(['a', 'c', 'missing']);
    assert_array_equals(await store.keys(), ['b']);
  }, 'many keys at once, answered in the order of the question');

  storeTest(async (t, store) => {
    const unstorable = { toJSON() { throw new RangeError('no'); } };
    await promise_rejects_js(t, RangeError, (async () => store.setMany([['a', 1], ['b', unstorable]]))());
    assert_array_equals(await store.keys(), []);
  }, 'setMany sets all or nothing');

  storeTest(async (t, store) => {
    await store.update('count', (old) => (old ?? 0) + 1);
    await store.update('count', (old) => (old ?? 0) + 1);
    assert_equals(await store.get('count'), 2);
  }, 'update sees the old value, or undefined');

  storeTest(async (t, store) => {
    await Promise.all(Array.from({ length: 25 }, async () => store.update('count', (old) => (old ?? 0) + 1)));
    assert_equals(await store.get('count'), 25);
  }, 'updates at the same time all count');

  storeTest(async (t, store) => {
    await store.set('kept', 'old');
    await promise_rejects_js(t, RangeError, (async () => store.update('kept', () => { throw new RangeError('no'); }))());
    assert_equals(await store.get('kept'), 'old');
    await store.set('kept', 'new');
    assert_equals(await store.get('kept'), 'new');
  }, 'an updater that throws changes nothing and blocks nobody');

  storeTest(async (t, store) => {
    await store.setMany([['a', 1], ['b', 2]]);
    await store.delete('a');
    await store.delete('missing');
    assert_equals(JSON.stringify(await store.entries()), '[["b",2]]');
    await store.clear();
    assert_array_equals(await store.keys(), []);
    await store.clear();
  }, 'delete and clear');

  storeTest(async (t, store) => {
    const other = openStore(`${stores} beside it`);
    t.add_cleanup(() => other.clear());
    await store.set('key', 'here');
    await other.set('key', 'there');
    assert_equals(await store.get('key'), 'here');
    await other.clear();
    assert_equals(await store.get('key'), 'here');
    assert_equals(await other.get('key'), undefined);
  }, 'stores of different names are apart');

  storeTest(async (t, store) => {
    await store.set('key', 'value');
    assert_equals(await openStore(`store ${stores}`).get('key'), 'value');
  }, 'a store that is opened again has what was set');
}
