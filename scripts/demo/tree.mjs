// The real data of the demo: the files that `npm ci` has put on the disk.
import { createHash } from 'node:crypto';
import { opendir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

async function* walk(directory) {
  for await (const entry of await opendir(directory)) {
    if (entry.name.startsWith('.')) continue; // caches, which change while we look
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** At most `count` files from all over `directory`, none above `largest` bytes, in a stable order. */
export async function collect(directory, { count, largest }) {
  const paths = [];
  for await (const path of walk(directory)) paths.push(path);
  paths.sort();
  const every = Math.max(1, Math.ceil(paths.length / count));
  const files = [];
  for (const path of paths.filter((_, index) => index % every === 0)) {
    const { size } = await stat(path);
    if (size <= largest) files.push({ path, name: relative(directory, path).split(/[\\/]/), size });
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
