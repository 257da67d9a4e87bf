// Builds dist/: few ES modules (import cost follows the number of modules), and one declaration file per source file.
// The old dist/ stays in use until the new one is complete.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
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

async function bundle() {
  await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.ts',
      globals: 'src/globals.ts',
      sync: 'src/sync/index.ts',
      'sync-contract': 'src/sync/contract/index.ts',
    },
    outdir: next,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    legalComments: 'none',
    plugins: [builtIns],
  });
}

function declare() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(next, 'types')], {
    cwd: root,
    stdio: 'inherit',
  });
  return status === 0;
}

try {
  await bundle();
  if (declare()) {
    rmSync(dist, { recursive: true, force: true });
    renameSync(next, dist);
  } else {
    process.exitCode = 1;
  }
} finally {
  rmSync(next, { recursive: true, force: true });
}
