// The runtimes under test, all from npm, installed into a folder of their own: they are no dependencies of the project.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const cache = fileURLToPath(new URL('../../.cache/runtimes', import.meta.url));

const system = { linux: 'linux', darwin: 'darwin', win32: 'win' }[process.platform] ?? process.platform;
const binary = (name) => (process.platform === 'win32' ? `${name}.exe` : name);

const node = (major) => ({
  name: `Node ${major}`,
  folder: `node-${major}`,
  package: `node-${system}-${process.arch}@${major}`,
  binary: `node_modules/node-${system}-${process.arch}/bin/${binary('node')}`,
  flags: () => [],
  preload: (globals) => ['--import', globals.specifier],
  types: { package: `@types/node@${major}`, name: '@types/node' },
});

/** A hub, and what a cache fetches. */
const usesNetwork = (area) => ['sync', 'caches'].includes(area);

/** Node with nothing allowed but the root, its own code and threads; types are not checked by a runtime. */
const restricted = (major) => ({
  ...node(major),
  name: `Node ${major} --permission`,
  areas: ['buckets', 'caches', 'channels', 'crash', 'encryption', 'file-system', 'globals', 'indexed-db', 'journal', 'locks', 'realms', 'structured-clone', 'sync', 'web-storage'],
  // Nobody there can see whether a process has died: what one held that was killed is free after a lease of 30 seconds.
  hasLeases: true,
  crash: { kills: 2, limitMs: 400_000 },
  flags: ({ data, project, area }) => [
    major === 20 ? '--experimental-permission' : '--permission',
    `--allow-fs-read=${data}`,
    `--allow-fs-read=${project}`,
    `--allow-fs-write=${data}`,
    '--allow-worker',
    // Node restricts the network from 25 on.
    ...(usesNetwork(area) && major >= 25 ? ['--allow-net'] : []),
  ],
});

/** What a program reads from its environment when Holdfast is in it. */
const variables = ['ROOT', 'ORIGIN', 'GLOBALS', 'QUOTA', 'DURABILITY', 'EVENTS', 'EXPOSURE'].map((name) => `HOLDFAST_${name}`);

export const runtimes = [
  node(20),
  node(22),
  node(24),
  node(26),
  restricted(20),
  restricted(22),
  restricted(24),
  restricted(26),
  {
    name: 'Deno 2',
    folder: 'deno-2',
    package: 'deno@2',
    binary: `node_modules/deno/${binary('deno')}`,
    hasLeases: true,
    // Nothing but what README.md names: the root, and the variables. Reading its own code is what a program that starts
    // threads needs, with or without Holdfast.
    flags: ({ data, project, area }) => [
      'run',
      '--quiet',
      '--no-prompt',
      // Its own code, and the peer of databases that need one.
      `--allow-read=${data},${project}/programs,${project}/node_modules/@sqlite.org`,
      `--allow-write=${data}`,
      `--allow-env=${[...variables, 'TEST_DATA', 'TEST_KILLS', 'TEST_RUNTIMES'].join()}`,
      ...(usesNetwork(area) ? ['--allow-net=127.0.0.1'] : []),
      // Sockets have names that nobody knows before.
      ...(area === 'coordinator' ? ['--allow-net'] : []),
    ],
    preload: (globals) => ['--preload', globals.denoSpecifier],
  },
  {
    name: 'Bun 1',
    folder: 'bun-1',
    package: 'bun@1',
    binary: 'node_modules/bun/bin/bun.exe',
    flags: () => [],
    preload: (globals) => ['--preload', globals.specifier],
    types: { package: 'bun-types@1', name: 'bun-types' },
  },
];

/**
 * Installs a runtime unless it is there already.
 *
 * @returns {{ command: string, version: string } | { reason: string }} where its binary is, or why it cannot be had
 */
export function installRuntime(runtime, say) {
  const folder = join(cache, runtime.folder);
  const command = join(folder, runtime.binary);
  if (!existsSync(command)) {
    say(`installing ${runtime.package} …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
    const { status, stderr } = npm(['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', runtime.package], folder);
    if (status !== 0) return { reason: lastLine(stderr) };
  }
  const { status, stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return { reason: `${command} does not run${error === undefined ? '' : `: ${error.message}`}` };
  return { command, version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim() };
}

export function npm(args, cwd) {
  return spawnSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
}

function lastLine(text) {
  return text.trim().split('\n').findLast((line) => /npm (error|ERR!) \w/.test(line)) ?? text.trim().split('\n').at(-1) ?? 'npm failed';
}
