// What `--import holdfast/globals` and a first getItem add to a bare start, what they load, and how long a first lock and
// a first file take.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { transformSync } from 'esbuild';
import { median } from '../alone.mjs';
import { binaries } from '../peers.mjs';

const works = [
  { id: 'bare', label: 'bare start', unit: 'ms' },
  { id: 'first', label: '+ import and first getItem', unit: 'ms' },
  { id: 'lock', label: 'first lock of a process', unit: 'ms' },
  { id: 'handle', label: 'first file handle of a process', unit: 'ms' },
  { id: 'modules', label: 'modules loaded', unit: '' },
  { id: 'size', label: 'loaded, minified + gzip', unit: 'kB' },
];

const project = fileURLToPath(new URL('../..', import.meta.url));

function spawned(args, root) {
  const start = performance.now();
  const { status, stderr } = spawnSync(binaries.node, ['--no-warnings', ...args], {
    cwd: project,
    env: { ...process.env, HOLDFAST_ROOT: root },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - start;
}

/** The files that the door imports before any of its code asks for more. */
export function loadedFiles(entry = join(project, 'dist/globals.js')) {
  const found = new Set();
  const visit = (file) => {
    if (found.has(file)) return;
    found.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?:[^'"()]*?\sfrom\s*)?["'](\.[^'"]+)["']/gm)) {
      visit(join(dirname(file), specifier));
    }
  };
  visit(entry);
  return [...found];
}

/** Kilobytes (1,000 bytes) of what a cold start reads, as it would travel. */
export function loadedSize(files = loadedFiles()) {
  const minified = files.map((file) => transformSync(readFileSync(file, 'utf8'), { minify: true, loader: 'js' }).code);
  return gzipSync(minified.join('')).length / 1000;
}

/** Milliseconds that one thing takes, as the first of a process that has used localStorage. */
function firstOf(work, root) {
  const program = `localStorage.setItem('k', 'v'); const start = performance.now(); ${work}; console.log(performance.now() - start); process.exit();`;
  const { stdout, stderr, status } = spawnSync(binaries.node, ['--no-warnings', '--import', 'holdfast/globals', '--input-type=module', '-e', program], {
    cwd: project,
    env: { ...process.env, HOLDFAST_ROOT: root },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

export async function measure({ root, rounds, say }) {
  const bare = [];
  const loaded = [];
  const locks = [];
  const handles = [];
  const program = ['-e', '0'];
  const withHoldfast = ['--import', 'holdfast/globals', '-e', "localStorage.getItem('k')"];
  spawned(['--import', 'holdfast/globals', '-e', "localStorage.setItem('k', 'v')"], root);
  for (let round = 0; round < rounds * 5; round += 1) {
    say(`start: round ${round + 1}/${rounds * 5}`);
    bare.push(spawned(program, root));
    loaded.push(spawned(withHoldfast, root));
    locks.push(firstOf("await navigator.locks.request('l', () => undefined)", root));
    handles.push(firstOf("await (await navigator.storage.getDirectory()).getFileHandle('f', { create: true })", root));
  }
  const files = loadedFiles();
  const results = {
    bare: { holdfast: median(bare) },
    first: { holdfast: median(loaded) - median(bare) },
    lock: { holdfast: median(locks) },
    handle: { holdfast: median(handles) },
    modules: { holdfast: files.length },
    size: { holdfast: loadedSize(files) },
  };
  return { area: 'start', works, order: ['holdfast'], results, absent: {} };
}
