import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { commit, folders, proof } from './upstream.ts';

/** What is wrong with a folder that should hold the pinned tests, in one line; null when it is right. */
export async function findFault(folder: string): Promise<string | null> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return `${folder} is not a folder`;
  const missing = folders.find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) return `${folder} has no ${missing}`;
  const head = await gitHead(folder);
  if (head !== null) return head === commit ? null : `${folder} is at commit ${head.slice(0, 12)}, not ${commit.slice(0, 12)}`;
  const wrong = Object.keys(proof).find((file) => hashOf(join(folder, file)) !== proof[file]);
  return wrong === undefined ? null : `${join(folder, wrong)} is not that of commit ${commit.slice(0, 12)}`;
}

/** The commit of a folder that is itself the top of a git work tree; a folder inside some other repository has none. */
async function gitHead(folder: string): Promise<string | null> {
  const real = realpathSync(folder);
  if (!existsSync(join(real, '.git'))) return null;
  const { code, stdout } = await run('git', ['-C', real, 'rev-parse', 'HEAD'], { timeout: 10_000 });
  return code === 0 ? stdout.trim() : null;
}

function hashOf(file: string): string | null {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : null;
}
