import vm from 'node:vm';
import type { Folders } from './config.ts';
import { readServed } from './files.ts';

/**
 * Runs a classic script of this realm, as a <script> element or importScripts() does: its top-level `const`, `let` and
 * `class` are seen by the scripts after it, which no eval() can do. No vm context is made: this is the realm's own one.
 */
export function runClassicScript(folders: Folders, url: URL): void {
  if (url.protocol === 'data:') return runText(decodeURIComponent(url.pathname.slice(url.pathname.indexOf(',') + 1)), url.protocol);
  const file = readServed(folders, url);
  if (file === null) throw new DOMException(`Failed to load the script at ${url.href}: there is no such file.`, 'NetworkError');
  runText(file.text, url.href);
}

export function runText(text: string, filename: string): void {
  // import() of a data: URL, as a script of a page may; the tests' own modules come through fetch().
  vm.runInThisContext(text, { filename, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
}
