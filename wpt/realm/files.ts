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
  const text = fs.readFileSync(file, 'utf8');
  return { text: /\.sub\.[^/]+$/.test(file) ? substituted(text) : text, type: types[path.extname(file)] ?? 'text/plain' };
}

/** https://web-platform-tests.org/writing-tests/server-pipes.html#sub */
const substitutes: Readonly<Record<string, string>> = {
  host: 'web-platform.test',
  'hosts[alt][]': 'not-web-platform.test',
  'domains[www1]': 'www1.web-platform.test',
  'domains[www2]': 'www2.web-platform.test',
  'ports[http][0]': '8000',
  'ports[http][1]': '8001',
  'ports[https][0]': '8443',
  'ports[https][1]': '8444',
};

function substituted(text: string): string {
  return text.replace(/\{\{([^}]+)\}\}/g, (whole, name: string) => substitutes[name] ?? whole);
}

function fileOf(folders: Folders, pathname: string): string {
  for (const [prefix, folder] of [['/ours/', folders.ours], ['/examples/', folders.examples]] as const) {
    if (pathname.startsWith(prefix)) return path.join(folder, pathname.slice(prefix.length));
  }
  return path.join(folders.checkout, pathname);
}
