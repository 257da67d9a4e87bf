// All of Holdfast under test runners and libraries that change a program's globals, unmodified, from npm.
//
//   npm run test:libraries              all of them
//   npm run test:libraries -- jest zone only those whose names hold one of the words
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHoldfast } from '../runtimes/project.mjs';
import { npm } from '../runtimes/runtimes.mjs';

const libraries = { jest: '^30.0.0', 'jest-environment-jsdom': '^30.0.0', 'jest-environment-node': '^30.0.0', vitest: '^4.0.0', jsdom: '^26.1.0', 'zone.js': '^0.16.0', sinon: '^21.0.0' };

const cache = fileURLToPath(new URL('../../.cache/runners', import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const words = process.argv.slice(2);
const LIMIT_MS = 120_000;

/** Installs what is not there yet; the project itself is in the same folder, where it finds what is installed. */
function install() {
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: libraries }, null, 2);
  const file = join(cache, 'package.json');
  mkdirSync(cache, { recursive: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === manifest && existsSync(join(cache, 'node_modules/vitest'))) return;
  rmSync(join(cache, 'node_modules'), { recursive: true, force: true });
  writeFileSync(file, manifest);
  const { status, stderr } = npm(['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], cache);
  if (status !== 0) {
    rmSync(file);
    throw new Error(`npm install failed:\n${stderr}`);
  }
}

/** A folder for one runner, with the tests and what they need. */
function makeProject(runner, files) {
  const project = mkdtempSync(join(cache, 'project-'));
  cpSync(here('project'), project, { recursive: true });
  for (const program of ['surface.mjs', 'everything.mjs']) cpSync(here(`../runtimes/programs/${program}`), join(project, program));
  if (runner !== undefined) cpSync(join(project, `runner-${runner}.mjs`), join(project, 'runner.mjs'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(project, name), content);
  return project;
}

/** The environment for Jest, as docs/TESTING.md has it for `node` and says how to have it for `jsdom`. */
function environmentOf(name) {
  const [, code] = /^## Jest$[^]*?^```js\n([^]*?)^```$/m.exec(readFileSync(here('../../docs/TESTING.md'), 'utf8'));
  return code.replaceAll('jest-environment-node', `jest-environment-${name}`);
}

const jest = (name, config) => ({
  name,
  runner: 'jest',
  files: {
    'package.json': '{ "type": "module" }',
    'jest.config.json': JSON.stringify({ transform: {}, moduleFileExtensions: ['mjs', 'cjs', 'js'], ...config }),
    'node-environment.mjs': environmentOf('node'),
    'jsdom-environment.mjs': environmentOf('jsdom'),
  },
  // Without the flag Jest loads no ES modules; the environment with the globals needs none.
  args: [...(config.testMatch[0].endsWith('.mjs') ? ['--experimental-vm-modules'] : []), '--no-warnings', join(cache, 'node_modules/jest/bin/jest.js'), '--ci', '--runInBand'],
});

const vitest = (pool, environment = 'node') => ({
  name: `vitest ${pool} ${environment}`,
  runner: 'vitest',
  files: { 'vitest.config.mjs': `export default { test: { pool: '${pool}', environment: '${environment}', include: ['everything.test.mjs'] } };` },
  args: [join(cache, 'node_modules/vitest/vitest.mjs'), 'run'],
});

const program = (library, late) => ({
  name: `${library} ${late ? 'after' : 'before'} Holdfast`,
  files: {},
  args: (project) => ['everything.mjs', library, join(project, 'root'), ...(late ? ['late'] : [])],
});

const inside = { testMatch: ['**/everything.test.mjs'] };
const outside = (environment) => ({ testEnvironment: `./${environment}-environment.mjs`, testMatch: ['**/globals.test.cjs'] });

const runs = [
  jest('jest node, Holdfast in the test', { ...inside, testEnvironment: 'node' }),
  jest('jest node, Holdfast in the environment', outside('node')),
  jest('jest jsdom, Holdfast in the test', { ...inside, testEnvironment: 'jsdom' }),
  jest('jest jsdom, Holdfast in the environment', outside('jsdom')),
  ...['forks', 'threads', 'vmForks', 'vmThreads'].map((pool) => vitest(pool)),
  ...['forks', 'vmThreads'].map((pool) => vitest(pool, 'jsdom')),
  ...['zone', 'sinon', 'jsdom'].flatMap((library) => [program(library, false), program(library, true)]),
];

function ended(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(-6000)));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({ passed: code === 0, output: signal === null ? output : `${output}\nkilled by ${signal}` });
    }),
  );
}

async function perform({ runner, files, args }) {
  const project = makeProject(runner, files);
  try {
    const list = typeof args === 'function' ? args(project) : args;
    return await ended(spawn(process.execPath, list, { cwd: project, env: { ...process.env, NO_COLOR: '1', CI: '1' }, stdio: ['ignore', 'pipe', 'pipe'] }));
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

install();
installHoldfast(cache);
const chosen = runs.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
let failed = chosen.length === 0;
for (const run of chosen) {
  const start = performance.now();
  const { passed, output } = await perform(run);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${run.name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  if (!passed) console.log(output.trim().replace(/^/gm, '    '));
  failed ||= !passed;
}
process.exitCode = failed ? 1 : 0;
