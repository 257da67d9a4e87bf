// Whether what was built is still what would be built: one digest of all that goes into it, one of what came out.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Every file at or below `path`, in order. */
function filesOf(root, path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).sort().flatMap((name) => filesOf(root, join(path, name)));
}

function digest(root, paths) {
  const hash = createHash('sha256').update(process.version);
  for (const file of paths.flatMap((path) => filesOf(root, path))) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** `sources` and `results` are files and folders below `root`; what is known is kept in the file `at`. */
export class Stamp {
  #root;
  #at;
  /** As they were before anything was built of them. */
  #sources;
  #results;

  constructor(root, at, sources, results) {
    this.#root = root;
    this.#at = join(root, at);
    this.#sources = digest(root, sources);
    this.#results = results;
  }

  #text() {
    return `${this.#sources} ${digest(this.#root, this.#results)}\n`;
  }

  get isFresh() {
    try {
      return readFileSync(this.#at, 'utf8') === this.#text();
    } catch {
      return false;
    }
  }

  write() {
    mkdirSync(dirname(this.#at), { recursive: true });
    writeFileSync(this.#at, this.#text());
  }
}
