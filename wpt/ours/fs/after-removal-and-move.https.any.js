// META: title=Handles of entries that were removed, replaced or moved
// META: script=/ours/resources/directory.js
// META: timeout=long
'use strict';

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'file', 'text');
  await file.remove();
  for (const method of ['getFile', 'createWritable', 'remove']) await promise_rejects_dom(t, 'NotFoundError', file[method](), method);
  await promise_rejects_dom(t, 'NotFoundError', file.move('other'), 'move');
  assert_equals(file.name, 'file');
  assert_equals(file.kind, 'file');
  assert_true(await file.isSameEntry(file));
  assert_array_equals(await dir.resolve(file), ['file']);
  assert_array_equals(await namesIn(dir), []);
}, 'a removed file');

inDirectory(async (t, dir) => {
  const gone = await dir.getDirectoryHandle('gone', { create: true });
  const file = await writeFile(gone, 'file', 'text');
  await gone.remove({ recursive: true });
  await promise_rejects_dom(t, 'NotFoundError', gone.getFileHandle('file'));
  await promise_rejects_dom(t, 'NotFoundError', gone.getFileHandle('file', { create: true }));
  await promise_rejects_dom(t, 'NotFoundError', gone.getDirectoryHandle('inner', { create: true }));
  await promise_rejects_dom(t, 'NotFoundError', gone.removeEntry('file'));
  await promise_rejects_dom(t, 'NotFoundError', namesIn(gone));
  await promise_rejects_dom(t, 'NotFoundError', file.getFile());
  await promise_rejects_dom(t, 'NotFoundError', file.createWritable());
  assert_array_equals(await namesIn(dir), []);
}, 'a removed directory, and a file that was in it');

inDirectory(async (t, dir) => {
  const old = await writeFile(dir, 'name', 'old');
  await old.remove();
  await writeFile(dir, 'name', 'new');
  assert_equals(await readText(old), 'new');
}, 'a handle stands for a place: a file made anew is its file');

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'name', 'text');
  await file.remove();
  await dir.getDirectoryHandle('name', { create: true });
  await promise_rejects_dom(t, 'TypeMismatchError', dir.getFileHandle('name'));
  const names = await Promise.all([file.getFile(), file.createWritable()].map((promise) => promise.then(() => 'fulfilled', ({ name }) => name)));
  for (const name of names) assert_in_array(name, ['NotFoundError', 'TypeMismatchError']);
}, 'a handle of a file where a directory is now');

inDirectory(async (t, dir) => {
  const inner = await dir.getDirectoryHandle('inner', { create: true });
  const file = await writeFile(dir, 'file', 'text');
  const other = await dir.getFileHandle('file');
  await file.move(inner, 'moved');
  assert_equals(file.name, 'moved');
  assert_equals(other.name, 'file');
  assert_array_equals(await dir.resolve(file), ['inner', 'moved']);
  assert_equals(await readText(file), 'text');
  await promise_rejects_dom(t, 'NotFoundError', other.getFile());
  assert_false(await file.isSameEntry(other));
}, 'move() takes along the handle that it was called on, and no other');

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'file', 'text');
  const seen = await file.getFile();
  await writeFile(dir, 'file', 'other');
  const outcome = await seen.text().then(() => 'read', ({ name }) => name);
  assert_in_array(outcome, ['NotFoundError', 'NotReadableError']);
}, 'a File is of the file as it was');

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'file', 'text');
  const writable = await file.createWritable();
  await writable.write('never');
  const reason = new Error('enough');
  await writable.abort(reason);
  assert_equals(await readText(file), 'text');
  await promise_rejects_exactly(t, reason, writable.getWriter().write('more'));
  await file.remove();
}, 'an aborted writable leaves the file alone and its lock free');

inDirectory(async (t, dir) => {
  const names = Array.from({ length: 200 }, (_, index) => `file ${index}`);
  await Promise.all(names.map((name) => writeFile(dir, name, name)));
  const seen = [];
  for await (const name of dir.keys()) {
    seen.push(name);
    await dir.removeEntry(name);
  }
  assert_array_equals(seen.sort(), names.sort());
  assert_array_equals(await namesIn(dir), []);
}, 'removing the entries that an iteration yields');
