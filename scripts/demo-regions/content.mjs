// All that a region has of an origin, and what stands for it.
import { createHash } from 'node:crypto';

/** Every file below a directory, by its path; each is fetched if need be. */
async function* walk(directory, path = '') {
  for await (const [name, handle] of directory) {
    const here = `${path}/${name}`;
    if (handle.kind === 'directory') yield* walk(handle, here);
    else yield [here, Buffer.from(await (await handle.getFile()).arrayBuffer())];
  }
}

const sha256 = (write) => {
  const hash = createHash('sha256');
  write((text) => hash.update(JSON.stringify(text)));
  return hash.digest('hex');
};

/** Hashes over localStorage, its order included, and over all files; and the content itself. */
export async function contentOf({ localStorage, storage }) {
  const entries = Object.entries(localStorage);
  const files = [];
  for await (const file of walk(await storage.getDirectory())) files.push(file);
  files.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    storage: sha256((add) => entries.forEach(add)),
    files: sha256((add) => files.forEach(([path, bytes]) => add([path, bytes.toString('base64')]))),
    entries,
    texts: files.map(([path, bytes]) => [path.slice(1), bytes.toString()]),
  };
}
