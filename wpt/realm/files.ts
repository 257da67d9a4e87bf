import fs from 'node:fs';
import path from 'node:path';
import type { Folders } from './config.ts';

/** The one path that the tests' own server maps to another file. */
const moved: Readonly<Record<string, string>> = { '/resources/WebIDLParser.js': '/resources/webidl2/lib/webidl2.js' };

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.html': 'text/html',
  '.htm': 'text/html',
};

export interface ServedFile {
  readonly text: string;
  readonly type: string;
}

/** What the tests' server would answer for a URL of the tests' origin; null is a 404. */
export function readServed(folders: Folders, url: URL): ServedFile | null {
  const pathname = decodeURIComponent(url.pathname);
  // The report script is the vendor's to write; ours is in harness.ts.
  if (pathname === '/resources/testharnessreport.js') return { text: '', type: 'text/javascript' };
  const file = fileOf(folders, moved[pathname] ?? pathname);
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return null;
  return { text: fs.readFileSync(file, 'utf8'), type: types[path.extname(file)] ?? 'text/plain' };
}

function fileOf(folders: Folders, pathname: string): string {
  for (const [prefix, folder] of [['/ours/', folders.ours], ['/examples/', folders.examples]] as const) {
    if (pathname.startsWith(prefix)) return path.join(folder, pathname.slice(prefix.length));
  }
  return path.join(folders.checkout, pathname);
}
