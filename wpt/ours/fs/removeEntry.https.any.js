// META: title=removeEntry(): the subtests that call a helper by an old signature upstream
// META: script=/ours/resources/directory.js
// META: timeout=long
'use strict';

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'gone', '12345');
  await writeFile(dir, 'kept', 'abc');
  await dir.removeEntry('gone');
  assert_array_equals(await namesIn(dir), ['kept']);
  await promise_rejects_dom(t, 'NotFoundError', file.getFile());
}, 'a removed file is gone, and the one beside it is not');

inDirectory(async (t, dir) => {
  await writeFile(dir, 'gone', '12345');
  await dir.removeEntry('gone');
  await promise_rejects_dom(t, 'NotFoundError', dir.removeEntry('gone'));
}, 'removing a file twice rejects');

inDirectory(async (t, dir) => {
  await dir.getDirectoryHandle('gone', { create: true });
  await writeFile(dir, 'kept', 'abc');
  await dir.removeEntry('gone');
  assert_array_equals(await namesIn(dir), ['kept']);
}, 'an empty directory can be removed');

inDirectory(async (t, dir) => {
  const full = await dir.getDirectoryHandle('full', { create: true });
  await writeFile(full, 'inside', '');
  await promise_rejects_dom(t, 'InvalidModificationError', dir.removeEntry('full'));
  assert_array_equals(await namesIn(dir), ['full/']);
  assert_array_equals(await namesIn(full), ['inside']);
}, 'a directory that is not empty stays, with what is in it');

inDirectory(async (t, dir) => {
  const full = await dir.getDirectoryHandle('full', { create: true });
  const inner = await full.getDirectoryHandle('inner', { create: true });
  await full.getDirectoryHandle('empty', { create: true });
  await writeFile(full, 'file', 'a');
  await writeFile(inner, 'file', 'b');
  await writeFile(dir, 'kept', 'abc');
  await dir.removeEntry('full', { recursive: true });
  assert_array_equals(await namesIn(dir), ['kept']);
  await promise_rejects_dom(t, 'NotFoundError', namesIn(inner));
}, 'recursive removal takes everything below');

for (const name of ['', '.', '..']) {
  inDirectory(async (t, dir) => {
    await promise_rejects_js(t, TypeError, dir.removeEntry(name));
  }, `'${name}' is no name`);
}

inDirectory(async (t, dir) => {
  const inner = await dir.getDirectoryHandle('inner', { create: true });
  await writeFile(inner, 'file', 'a');
  await promise_rejects_js(t, TypeError, dir.removeEntry('inner/file'));
  assert_array_equals(await namesIn(inner), ['file']);
}, 'a path is no name');
