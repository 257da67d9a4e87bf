// The real data of the demo: the files that `npm ci` has put on the disk.
import { createHash } from 'node:crypto';
import { opendir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

async function* walk(directory) {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** Up to `most` files below `directory` and at most `bytes` of them, in a stable order. */
export async function collect(directory, { most, bytes }) {
  const paths = [];
  for await (const path of walk(directory)) paths.push(path);
  paths.sort();
  const files = [];
  let total = 0;
  for (const path of paths) {
    const { size } = await stat(path);
    if (files.length === most || total + size > bytes) continue;
    files.push({ path, name: relative(directory, path).split(/[\\/]/), size });
    total += size;
  }
  return files;
}

/** The bytes to upload: the file itself, or in a later version the file with a line on top. */
export async function content(file, version) {
  const bytes = await readFile(file.path);
  return version === 1 ? bytes : Buffer.concat([Buffer.from(`version ${version}\n`), bytes]);
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
