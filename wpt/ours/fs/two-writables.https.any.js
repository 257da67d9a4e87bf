// META: title=createWritable(): the subtest that calls a helper by an old signature upstream
// META: script=/ours/resources/directory.js
// META: timeout=long
'use strict';

inDirectory(async (t, dir) => {
  const first = await writeFile(dir, 'file', 'old');
  const second = await dir.getFileHandle('file');
  const one = await first.createWritable();
  const two = await second.createWritable();
  await one.write('one');
  await two.write('two');
  await two.close();
  assert_equals(await readText(first), 'two');
  await one.close();
  assert_equals(await readText(second), 'one');
}, 'two handles of one file can both have a writable; the last to close wins');
