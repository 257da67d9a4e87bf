// META: title=Names of files and directories
// META: script=/ours/resources/directory.js
// META: timeout=long
'use strict';

const legal = [
  'a..b', '...', '..a', 'a.', 'a ', ' a', ' ', '-', '--', '~', '~a', '.a', 'CON', 'nul.txt', 'COM1', 'a:b', 'a|b', 'a?b', 'a*b', 'a"b', '<a>', 'a%2Fb', '%', '%00',
  '$HOME', '`a`', 'a\tb', 'a\nb', '__proto__', 'constructor', 'trash', 'swap', 'locks', 'files.0', 'holdfast.json',
  'é', 'e\u0301', '\u{1F980}', '\u200B', '\uFEFF', 'ﬁ', 'İ', 'ß',
];

for (const name of legal) {
  inDirectory(async (t, dir) => {
    const file = await writeFile(dir, name, 'text');
    assert_equals(file.name, name);
    assert_equals((await file.getFile()).name, name);
    assert_array_equals(await namesIn(dir), [name]);
    assert_equals(await readText(await dir.getFileHandle(name)), 'text');
    assert_array_equals(await dir.resolve(file), [name]);
    await dir.removeEntry(name);
    await dir.getDirectoryHandle(name, { create: true });
    assert_array_equals(await namesIn(dir), [`${name}/`]);
  }, `legal: ${JSON.stringify(name)}`);
}

for (const name of ['', '.', '..', '/', '/a', 'a/', 'a/b', '../a']) {
  inDirectory(async (t, dir) => {
    await promise_rejects_js(t, TypeError, dir.getFileHandle(name, { create: true }));
    await promise_rejects_js(t, TypeError, dir.getDirectoryHandle(name, { create: true }));
    await promise_rejects_js(t, TypeError, dir.removeEntry(name));
    const file = await writeFile(dir, 'file', '');
    await promise_rejects_js(t, TypeError, file.move(name));
    await promise_rejects_js(t, TypeError, file.move(dir, name));
    assert_array_equals(await namesIn(dir), ['file']);
  }, `illegal: ${JSON.stringify(name)}`);
}

inDirectory(async (t, dir) => {
  const names = ['a', 'A', 'é', 'e\u0301', 'ﬁ', 'fi', 'ß', 'ss', 'i', 'I', 'ı', 'İ'];
  for (const name of names) await writeFile(dir, name, name);
  assert_array_equals(await namesIn(dir), [...names].sort());
  for (const name of names) assert_equals(await readText(await dir.getFileHandle(name)), name);
}, 'names that some file systems take for one are several');

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'a\uD800b', 'text');
  assert_equals(file.name, 'a\uFFFDb');
  assert_array_equals(await namesIn(dir), ['a\uFFFDb']);
  assert_equals(await readText(await dir.getFileHandle('a\uDFFFb')), 'text');
}, 'a lone surrogate in a name becomes the replacement character');

for (const [description, name] of [['255 bytes', 'n'.repeat(255)], ['255 three-byte characters', '\u6F22'.repeat(255)]]) {
  inDirectory(async (t, dir) => {
    const file = await writeFile(dir, name, 'text');
    assert_array_equals(await namesIn(dir), [name]);
    await file.move(`${name.slice(1)}x`);
    assert_equals(await readText(file), 'text');
    await dir.removeEntry(file.name);
  }, `a long name: ${description}`);
}

inDirectory(async (t, dir) => {
  let deepest = dir;
  for (let level = 0; level < 40; level += 1) deepest = await deepest.getDirectoryHandle('directory'.repeat(5), { create: true });
  const file = await writeFile(deepest, 'file', 'deep');
  assert_equals(await readText(file), 'deep');
  assert_equals((await dir.resolve(file)).length, 41);
  await dir.removeEntry('directory'.repeat(5), { recursive: true });
  await promise_rejects_dom(t, 'NotFoundError', file.getFile());
}, 'a deep tree');
