// META: title=The quota of Web Storage
// META: timeout=long
'use strict';

function assert_over_quota(change) {
  let thrown;
  try {
    change();
  } catch (error) {
    thrown = error;
  }
  assert_true(thrown instanceof QuotaExceededError);
  assert_true(thrown instanceof DOMException);
  assert_equals(thrown.name, 'QuotaExceededError');
  for (const figure of [thrown.quota, thrown.requested]) assert_true(figure === null || figure > 0);
}

// Upstream's two quota tests ask for a plain DOMException with the old code; it has been a class of its own since.
for (const name of ['localStorage', 'sessionStorage']) {
  const storage = self[name];

  test((t) => {
    t.add_cleanup(() => storage.clear());
    storage.clear();
    storage.setItem('kept', 'old');
    const tooMuch = 'x'.repeat(64 * 1024 * 1024);
    assert_over_quota(() => storage.setItem('big', tooMuch));
    assert_over_quota(() => storage.setItem('kept', tooMuch));
    assert_over_quota(() => { storage.kept = tooMuch; });
    assert_equals(storage.length, 1);
    assert_equals(storage.getItem('big'), null);
    assert_equals(storage.getItem('kept'), 'old');
  }, `${name}: a value beyond the quota changes nothing`);

  test((t) => {
    t.add_cleanup(() => storage.clear());
    storage.clear();
    const value = 'x'.repeat(100_000);
    let count = 0;
    try {
      for (; count < 10_000; count += 1) storage.setItem(`key ${count}`, value);
      assert_unreached('the quota never ends');
    } catch (error) {
      assert_equals(error.name, 'QuotaExceededError');
    }
    assert_greater_than(count, 10);
    assert_equals(storage.length, count);
    storage.removeItem('key 0');
    storage.setItem('key again', value);
    assert_equals(storage.length, count);
  }, `${name}: what is removed makes room`);

  test((t) => {
    t.add_cleanup(() => storage.clear());
    storage.clear();
    const value = 'x'.repeat(2_000_000);
    storage.setItem('big', value);
    assert_equals(storage.getItem('big'), value);
    storage.setItem('big', `${value}y`);
    assert_equals(storage.getItem('big').length, 2_000_001);
  }, `${name}: one value of millions of characters, replaced by another`);
}
