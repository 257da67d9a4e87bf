// META: title=Storage events between windows
// META: script=/ours/resources/frames.js
// META: variant=
// META: variant=?processes
// META: timeout=long
'use strict';

promise_setup(async () => localStorage.clear());

function eventTest(body, name) {
  promise_test(async (t) => {
    t.add_cleanup(() => localStorage.clear());
    await body(t);
  }, name);
}

const keysOf = (events) => events.map(({ key }) => key);
const has = (key) => (events) => keysOf(events).includes(key);

eventTest(async (t) => {
  const frame = await openStorageFrame(t);
  const collected = collectStorageEvents(t);
  await frame.tell('set', 'key', 'first');
  await frame.tell('set', 'key', 'second');
  await frame.tell('remove', 'key');
  await frame.tell('set', 'other', '');
  await frame.tell('clear');
  const events = await collected.until((all) => all.length === 5);
  const expected = [['key', null, 'first'], ['key', 'first', 'second'], ['key', 'second', null], ['other', null, ''], [null, null, null]];
  events.forEach((event, index) => {
    assert_array_equals([event.key, event.oldValue, event.newValue], expected[index]);
    assert_equals(event.storageArea, localStorage);
    // The whole URL is that of the writer's page, which a process on a server has not; upstream has tests of it.
    assert_equals(new URL(event.url).origin, location.origin);
    assert_true(event instanceof StorageEvent);
    assert_false(event.bubbles || event.cancelable);
  });
}, 'every kind of change, with what was there before');

eventTest(async (t) => {
  const frame = await openStorageFrame(t);
  await frame.tell('set', 'key', 'same');
  const collected = collectStorageEvents(t);
  await frame.tell('set', 'key', 'same');
  await frame.tell('remove', 'missing');
  await frame.tell('clear');
  await frame.tell('clear');
  await frame.tell('set', 'end', '');
  const events = await collected.until(has('end'));
  assert_array_equals(keysOf(events).filter((key) => key !== 'key'), [null, 'end']);
}, 'what changes nothing is no event');

eventTest(async (t) => {
  const [writer, reader] = [await openStorageFrame(t), await openStorageFrame(t)];
  const collected = collectStorageEvents(t);
  await writer.tell('set', 'theirs', '1');
  await collected.until(has('theirs'));
  localStorage.setItem('ours', '2');
  let seen = [];
  await t.step_wait(async () => (seen = seen.concat(await reader.tell('seen'))).length === 2, 'the other frame sees both', 30_000, 20);
  assert_array_equals(keysOf(seen), ['theirs', 'ours']);
  assert_true(seen.every(({ own }) => own), 'the area is the one of the window that gets the event');
  assert_array_equals(keysOf(await writer.tell('seen')).filter((key) => key === 'theirs'), []);
  assert_array_equals(keysOf(await collected.until(() => true)), ['theirs']);
}, 'all windows get an event but the one that made the change');

eventTest(async (t) => {
  const frames = [await openStorageFrame(t), await openStorageFrame(t)];
  const collected = collectStorageEvents(t);
  const count = 300;
  await Promise.all(frames.map((frame, index) => frame.tell('count', `writer ${index}`, count)));
  const events = await collected.until((all) => all.length === 2 * count);
  for (const index of [0, 1]) {
    const own = events.filter(({ key }) => key === `writer ${index}`);
    assert_array_equals(own.map(({ newValue }) => Number(newValue)), Array.from({ length: count }, (_, value) => value));
  }
}, 'two writers at the same time: nothing is lost, and each one\'s order is kept');

eventTest(async (t) => {
  const frame = await openStorageFrame(t);
  const collected = collectStorageEvents(t);
  const texts = ['\uD800', '\uDC00\uD800', '\u0000', '\u{1F980}', 'x'.repeat(200_000)];
  for (const [index, text] of texts.entries()) await frame.tell('set', `${index}${text.slice(0, 10)}`, text);
  const events = await collected.until((all) => all.length === texts.length);
  events.forEach(({ key, newValue }, index) => {
    assert_true(newValue === texts[index], `value ${index}`);
    assert_true(key === `${index}${texts[index].slice(0, 10)}`, `key ${index}`);
    assert_true(localStorage.getItem(key) === newValue, `item ${index}`);
  });
}, 'keys and values of any code units, short and long');

eventTest(async (t) => {
  const frame = await openStorageFrame(t);
  localStorage.setItem('key', 'here');
  assert_equals(await frame.tell('get', 'key'), 'here');
  await frame.tell('set', 'key', 'there');
  assert_equals(localStorage.getItem('key'), 'there');
}, 'a window reads what another has just written');
