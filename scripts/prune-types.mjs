// Of the declarations that tsc writes, a file for each module, users need those that the package's doors lead to.
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The declarations that a declaration imports, for its types or only so. */
function* importsOf(file) {
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)) {
    yield join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts'));
  }
}

/** All that `doors` lead to, with them. @throws where something is imported that is not there */
export function reachable(doors) {
  const found = new Set(doors);
  for (const file of found) {
    for (const imported of importsOf(file)) {
      if (!existsSync(imported)) throw new Error(`${file} imports ${imported}, which is not there.`);
      found.add(imported);
    }
  }
  return found;
}

/** Removes from `directory` what is not in `kept`, and the directories that are empty then. */
export function prune(directory, kept) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) prune(path, kept);
    else if (!kept.has(path)) rmSync(path);
  }
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}
