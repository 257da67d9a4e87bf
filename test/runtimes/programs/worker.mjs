// Does one kind of work until it is killed, and prints the number of each step once it is done. argv: root, work, id.
import process from 'node:process';
import { StorageHost } from 'holdfast';

/** Whenever it is killed, there has been room. */
const quota = { total: 2 ** 31, localStorage: 2 ** 30 };

const [root, work, id] = process.argv.slice(2);
const { localStorage, storage } = new StorageHost({ root, quota }).origin('https://app.example');
const directory = () => storage.getDirectory();
const turn = () => new Promise((resolve) => setTimeout(resolve));

const works = {
  items: (n) => localStorage.setItem(`${id}/${n}`, String(n).padEnd(50 + ((n * 977) % 60_000), '.')),
  overwrites(n) {
    if (n === 0) localStorage.setItem('untouched', 'there');
    localStorage.setItem('k', `${id} ${n} `.padEnd(200_000, '.'));
  },
  async replacements(n) {
    const file = await (await directory()).getFileHandle('replaced', { create: true });
    const writable = await file.createWritable();
    const text = `${id} ${n} `.padEnd(200_000, String(n % 10));
    await writable.write(text.slice(0, 90_000));
    await writable.write(text.slice(90_000));
    await writable.close();
  },
  async moves(n) {
    const here = await directory();
    const file = await onlyFile(here);
    await file.move(`moved ${id} ${n}`);
  },
  async trees(n) {
    const tree = await (await directory()).getDirectoryHandle(`tree ${id} ${n}`, { create: true });
    for (let file = 0; file < 10; file++) await tree.getFileHandle(`file ${file}`, { create: true });
    await (await directory()).removeEntry(tree.name, { recursive: true });
  },
};

/** Whichever file a killed one has left; the first one makes it. */
async function onlyFile(here) {
  for await (const [name, handle] of here) if (name.startsWith('moved')) return handle;
  const file = await here.getFileHandle('made', { create: true });
  const writable = await file.createWritable();
  await writable.write('content');
  await writable.close();
  await file.move('moved');
  return file;
}

for (let n = 0; ; n++) {
  await works[work](n);
  console.log(n);
  await turn();
}
