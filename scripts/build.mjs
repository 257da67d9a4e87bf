// Builds dist/: few ES modules (import cost follows the number of modules), and a declaration file for each source file
// whose types users can come to.
// The old dist/ stays in use until the new one is complete, and is the new one where nothing has changed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pageInPackage } from './page.mjs';
import { prune, reachable } from './prune-types.mjs';
import { Stamp } from './stamp.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const stamp = new Stamp(root, '.cache/build', ['src', 'scripts/build.mjs', 'scripts/page.mjs', 'scripts/prune-types.mjs', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'], ['dist']);
if (stamp.isFresh) process.exit();

const next = mkdtempSync(join(root, '.dist-'));

/**
 * An `import` of a built-in module makes Node read every property that it exports, and `node:fs` alone then loads
 * streams, readline and more: milliseconds at every start. The built-in object itself brings in less.
 */
const builtIns = {
  name: 'built-ins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'built-in' }));
    onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({ contents: builtInSource(path), loader: 'js' }));
  },
};

/** A module with a built-in's default and named exports, of which only those that are used stay in the bundle. */
function builtInSource(name) {
  const names = Object.keys(process.getBuiltinModule(name)).filter((key) => /^[A-Za-z_]\w*$/.test(key) && key !== 'default');
  return [
    `const builtIn = /* @__PURE__ */ process.getBuiltinModule('${name}');`,
    'export default builtIn;',
    ...names.map((key) => `export const ${key} = /* @__PURE__ */ (() => builtIn.${key})();`),
  ].join('\n');
}

const doors = { index: 'src/index.ts', globals: 'src/globals.ts' };
const entries = { ...doors, sync: 'src/sync/index.ts', 'sync-contract': 'src/sync/contract/index.ts', following: 'src/disk/map/following-provided.ts', caches: 'src/host/caches/provided.ts', 'broadcast-channel': 'src/host/broadcast-channel/provided.ts', 'storage-buckets': 'src/host/storage-buckets/provided.ts', 'indexed-db': 'src/host/indexed-db/provided.ts', transaction: 'src/host/transaction/provided.ts', encryption: 'src/host/encryption/provided.ts', coordinator: 'src/host/coordinator/index.ts', inspector: 'src/inspector/index.ts', cli: 'src/cli/main.ts' };

/** What both doors load, by the modules that bring all of it. */
const core = ['src/host/storage-host.ts', 'src/host/install/global-definitions.ts', 'src/host/install/event-definitions.ts', 'src/host/install/environment.ts'];

/** What a first lock loads, and whoever else needs some of it. */
const locks = ['src/host/lock-code.ts', 'src/web-locks/client-locks.ts'];

/** What every handle loads, before anything is asked of its disk. */
const handles = ['src/file-system/behaviour.ts'];

/** What a first file loads beside. */
const files = ['src/host/file-code.ts'];

/** Entries that need less than all of that. */
const needs = {
  'src/host/lock-code.ts': [core, locks],
  'src/web-locks/client-locks.ts': [core, locks],
  'src/file-system/behaviour.ts': [core, handles],
  'src/host/sync/replicate.ts': [core],
  'src/disk/map/following-provided.ts': [core],
  'src/host/broadcast-channel/provided.ts': [core, handles],
  'src/host/indexed-db/provided.ts': [core, handles],
  'src/host/transaction/provided.ts': [core],
  'src/host/encryption/provided.ts': [core],
  'src/host/coordinator/index.ts': [core],
  'src/host/storage-buckets/provided.ts': [core, handles],
};

/**
 * esbuild makes one chunk of modules that are needed by the same of its entries, so each entry that needs some of what
 * the doors share would cut that into smaller pieces. Here every other entry needs all of it: a start loads one piece.
 * So is it with locks, handles and files.
 */
const onePiece = {
  name: 'one-piece',
  setup({ onResolve, onLoad }) {
    const shared = Object.values(doors).map((file) => join(root, file));
    onResolve({ filter: /^[^:]+\.ts$/ }, ({ path, kind, resolveDir, namespace }) => {
      const file = resolve(resolveDir, path);
      // The command exports nothing: it is there for what it does.
      if (namespace === 'entry' && path === file) return { path: file, sideEffects: true };
      const isOther = (kind === 'entry-point' && !shared.includes(file)) || kind === 'dynamic-import';
      return isOther ? { path: file, namespace: 'entry' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => ({
      contents: [hashbang(path), ...neededBy(path).map((file, index) => `import * as needed${index} from './${file}';`), `export * from '${path}';`].join('\n'),
      resolveDir: root,
    }));
  },
};

/** What an entry is to need, whether or not it does. */
function neededBy(path) {
  return (needs[relative(root, path)] ?? [core, locks, handles, files]).flat();
}

/** The first line of a module that is a program. */
function hashbang(path) {
  const [line] = readFileSync(path, 'utf8').split('\n', 1);
  return line.startsWith('#!') ? line : '';
}

/** What esbuild writes for a namespace object, and the same for programs in which `Object.prototype` has got properties. */
const helper = `for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });`;
const saferHelper = `for (var name of Object.keys(all))
    __defProp(target, name, { __proto__: null, get: all[name], enumerable: true });`;

async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: next,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    legalComments: 'none',
    write: false,
    plugins: [builtIns, onePiece, pageInPackage],
  });
  for (const { path, text } of outputFiles) {
    const safer = text.replace(helper, saferHelper);
    if (/for \(var name in |__defProp\((?!target, name, \{ __proto__)/.test(safer)) throw new Error(`esbuild writes another helper now, in ${path}.`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, safer, { mode: safer.startsWith('#!') ? 0o755 : 0o644 });
  }
}

function declare() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = join(next, 'types');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', types], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) return false;
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const doors = Object.values(exports).flatMap((door) => (door.types ? [join(next, relative('dist', door.types))] : []));
  prune(types, reachable(doors));
  return true;
}

try {
  await bundle();
  if (declare()) {
    rmSync(dist, { recursive: true, force: true });
    renameSync(next, dist);
    stamp.write();
  } else {
    process.exitCode = 1;
  }
} finally {
  rmSync(next, { recursive: true, force: true });
}
