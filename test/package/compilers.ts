import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from './packed.ts';

const run = promisify(execFile);

function versionOf(place: string): string {
  const { version } = JSON.parse(readFileSync(join(place, 'node_modules/typescript/package.json'), 'utf8')) as { version: string };
  return version;
}

/**
 * The compiler of a version of TypeScript: the project's own if it is of that version, else one from npm in a folder of
 * its own.
 *
 * @throws what npm says where that version cannot be had
 */
export async function compilerOf(version: string): Promise<string> {
  const isOwn = versionOf(repository).startsWith(`${version}.`);
  const place = isOwn ? repository : join(repository, '.cache/compilers', `typescript-${version}`);
  const compiler = join(place, 'node_modules/typescript/bin/tsc');
  if (existsSync(compiler)) return compiler;
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true }));
  await run('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `typescript@${version}`], { cwd: place });
  return compiler;
}

/**
 * What a compiler says of these files, all in one program of a user of the built package; empty if it is content.
 *
 * @param options - of the compiler, beside `strict`.
 */
export async function compile(compiler: string, lib: readonly string[], files: Readonly<Record<string, string>>, options: object = {}): Promise<string> {
  mkdirSync(join(repository, '.cache'), { recursive: true });
  const directory = mkdtempSync(join(repository, '.cache/types-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const compilerOptions = { target: 'es2022', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: false, types: ['node'], lib, ...options };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
    await run(process.execPath, [compiler, '-p', directory]);
    return '';
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
