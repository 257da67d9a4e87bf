// META: timeout=long
// Upstream's FileSystemFileHandle-cross-primitive-locking does not wait for its first lock. Here it is held before the
// second is asked for, so that the answer does not hang on who is faster.
importScripts('/resources/testharness.js', '/ours/resources/directory.js');
'use strict';

const primitives = {
  ...Object.fromEntries(['readwrite', 'read-only', 'readwrite-unsafe'].map((mode) => [`${mode} access handle`, (file) => file.createSyncAccessHandle({ mode })])),
  ...Object.fromEntries(['siloed', 'exclusive'].map((mode) => [`${mode} writable`, (file) => file.createWritable({ mode })])),
};

const operations = {
  move: (file) => file.move('moved'),
  remove: (file) => file.remove(),
};

const shared = (first, second) => first === second && !['readwrite access handle', 'exclusive writable'].includes(first);

for (const [first, openFirst] of Object.entries(primitives)) {
  for (const [second, openSecond] of Object.entries(primitives)) {
    inDirectory(async (t, dir) => {
      const [file, other] = [await writeFile(dir, 'file', ''), await writeFile(dir, 'other', '')];
      const holder = await openFirst(file);
      if (shared(first, second)) await (await openSecond(file)).close();
      else await promise_rejects_dom(t, 'NoModificationAllowedError', openSecond(file));
      await (await openSecond(other)).close();
      await holder.close();
      await (await openSecond(file)).close();
    }, `${first}, then ${second}: ${shared(first, second) ? 'shared' : 'refused until the first is closed'}`);
  }

  for (const [name, operate] of Object.entries(operations)) {
    inDirectory(async (t, dir) => {
      const file = await writeFile(dir, 'file', '');
      const holder = await openFirst(file);
      await promise_rejects_dom(t, 'NoModificationAllowedError', operate(file));
      await holder.close();
      await operate(file);
    }, `no ${name} while the file has a ${first}`);
  }

  inDirectory(async (t, dir) => {
    const [file, target] = [await writeFile(dir, 'file', 'new'), await writeFile(dir, 'target', 'old')];
    const holder = await openFirst(target);
    await promise_rejects_dom(t, 'NoModificationAllowedError', file.move('target'));
    await holder.close();
    await file.move('target');
    assert_equals(await readText(target), 'new');
  }, `no move onto a file that has a ${first}`);

  inDirectory(async (t, dir) => {
    const outer = await dir.getDirectoryHandle('outer', { create: true });
    const inner = await outer.getDirectoryHandle('inner', { create: true });
    const file = await writeFile(inner, 'file', '');
    const holder = await openFirst(file);
    await promise_rejects_dom(t, 'NoModificationAllowedError', inner.remove({ recursive: true }));
    await promise_rejects_dom(t, 'NoModificationAllowedError', dir.removeEntry('outer', { recursive: true }));
    assert_array_equals(await namesIn(inner), ['file']);
    await holder.close();
    await dir.removeEntry('outer', { recursive: true });
  }, `no removal of a directory above a file that has a ${first}`);
}

done();
