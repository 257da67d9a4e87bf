// META: timeout=long
// The file of this name upstream imports a script twice, so it does not parse.
importScripts('/resources/testharness.js', '/ours/resources/directory.js');
'use strict';

const modes = ['readwrite', 'read-only', 'readwrite-unsafe'];

inDirectory(async (t, dir) => {
  const file = await writeFile(dir, 'file', '');
  const access = await file.createSyncAccessHandle();
  await promise_rejects_dom(t, 'NoModificationAllowedError', file.createSyncAccessHandle());
  access.close();
  (await file.createSyncAccessHandle()).close();
}, 'one access handle at a time');

inDirectory(async (t, dir) => {
  const [one, two] = [await writeFile(dir, 'one', ''), await writeFile(dir, 'two', '')];
  const access = await one.createSyncAccessHandle();
  (await two.createSyncAccessHandle()).close();
  const writable = await two.createWritable();
  await writable.close();
  access.close();
}, 'an access handle does not concern other files');

inDirectory(async (t, dir) => {
  const [one, two] = [await writeFile(dir, 'one', ''), await writeFile(dir, 'two', '')];
  const writable = await one.createWritable();
  (await two.createSyncAccessHandle()).close();
  await writable.close();
}, 'a writable does not concern other files');

for (const mode of modes) {
  inDirectory(async (t, dir) => {
    const file = await writeFile(dir, 'file', '');
    const access = await file.createSyncAccessHandle({ mode });
    await promise_rejects_dom(t, 'NoModificationAllowedError', file.createWritable());
    access.close();
    await (await file.createWritable()).close();
  }, `no writable while a ${mode} access handle is open`);

  inDirectory(async (t, dir) => {
    const file = await writeFile(dir, 'file', '');
    const [one, two] = [await file.createWritable(), await file.createWritable()];
    await promise_rejects_dom(t, 'NoModificationAllowedError', file.createSyncAccessHandle({ mode }));
    await one.close();
    await promise_rejects_dom(t, 'NoModificationAllowedError', file.createSyncAccessHandle({ mode }));
    await two.close();
    (await file.createSyncAccessHandle({ mode })).close();
  }, `no ${mode} access handle until the last writable is closed`);
}

done();
