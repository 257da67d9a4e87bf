'use strict';

let directories = 0;

/** A promise_test with an empty directory of its own, which is removed afterwards. */
function inDirectory(body, name) {
  promise_test(async (t) => {
    const root = await navigator.storage.getDirectory();
    const own = `directory ${++directories} of ${location.pathname.replaceAll('/', ' ')}`;
    await root.removeEntry(own, { recursive: true }).catch(() => undefined);
    const directory = await root.getDirectoryHandle(own, { create: true });
    t.add_cleanup(() => root.removeEntry(own, { recursive: true }).catch(() => undefined));
    await body(t, directory, root);
  }, name);
}

async function writeFile(directory, name, text) {
  const handle = await directory.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(text);
  await writable.close();
  return handle;
}

async function readText(handle) {
  return (await handle.getFile()).text();
}

/** Sorted names; those of directories end in a slash. */
async function namesIn(directory) {
  const names = [];
  for await (const [name, { kind }] of directory) names.push(kind === 'directory' ? `${name}/` : name);
  return names.sort();
}
