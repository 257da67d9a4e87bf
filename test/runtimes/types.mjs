// Compiles programs/types.mts as users of a runtime do: by Deno itself, else by TypeScript with the runtime's types.
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, npm } from './runtimes.mjs';

const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const program = 'programs/types.mts';

/** @returns the same as an area's tests */
export async function checkTypes(runtime, command, project, say) {
  const { name, output, code } = runtime.types === undefined ? await byDeno(command, project) : await byTypeScript(runtime, project, say);
  return code === 0 ? { passed: [name], failed: [] } : { passed: [], failed: [{ name, error: output }] };
}

async function byDeno(command, project) {
  return { name: 'deno check', ...(await output(command, ['check', '--quiet', program], project)) };
}

async function byTypeScript(runtime, project, say) {
  const { package: types, name } = runtime.types;
  const modules = join(cache, runtime.folder, 'node_modules');
  const title = `tsc with ${types}`;
  if (!existsSync(join(modules, name, 'package.json'))) {
    say(`installing ${types} …`);
    const { status, stderr } = npm(['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', runtime.package, types], join(cache, runtime.folder));
    if (status !== 0) return { name: title, code: 1, output: stderr };
  }
  const config = `tsconfig.${runtime.folder}.json`;
  const compilerOptions = {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    lib: ['esnext'],
    types: [join(modules, name)],
  };
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files: [program] }));
  return { name: title, ...(await output(process.execPath, [compiler, '-p', config], project)) };
}

function output(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output: text }));
  });
}
