import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkoutPath, UsageError } from '../project.ts';
import { Progress } from '../terminal.ts';
import { extractInto } from './debian.ts';
import { cloneInto } from './git.ts';
import { commit } from './upstream.ts';
import { findFault } from './verify.ts';

const again = 'npm run wpt:fetch';

/**
 * Puts the pinned tests at wpt/checkout: from WPT_DIR, else from the user's cache, else from upstream, else from the
 * source package that contains them. Once there, they are not fetched again.
 */
export async function fetchTests(): Promise<void> {
  const given = process.env['WPT_DIR'];
  if (given !== undefined && given !== '') return link(await verified(resolve(given), 'WPT_DIR: '));
  if (existsSync(checkoutPath) && (await findFault(checkoutPath)) === null) {
    return console.log(`wpt/checkout holds the tests at commit ${commit.slice(0, 12)} already`);
  }
  const cached = join(cacheFolder(), `wpt-${commit}`);
  // One that was fetched when fewer folders were wanted makes room for a whole one.
  if (existsSync(cached) && (await findFault(cached)) !== null) rmSync(cached, { recursive: true });
  if (!existsSync(cached)) await fetchInto(cached);
  link(await verified(cached, ''));
}

/** The folder of the tests; a missing or different one is a UsageError. */
export async function requireTests(): Promise<string> {
  if (!existsSync(checkoutPath)) throw new UsageError(`The tests are not here: run ${again}`);
  return verified(checkoutPath, '');
}

async function verified(folder: string, prefix: string): Promise<string> {
  const fault = await findFault(folder);
  if (fault !== null) throw new UsageError(`${prefix}${fault}. Remove it and run ${again}`);
  return folder;
}

function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'holdfast');
}

async function fetchInto(folder: string): Promise<void> {
  // Everything happens beside the final place; only a whole, verified folder gets its name.
  const work = `${folder}.${process.pid}.partial`;
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  const interrupted = (): void => {
    remove();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const progress = new Progress('wpt:fetch');
  mkdirSync(work, { recursive: true });
  try {
    const tests = join(work, 'tests');
    progress.say('asking upstream');
    const upstreamFault = await cloneInto(tests);
    if (upstreamFault !== null) {
      progress.print(`upstream cannot be reached (${upstreamFault}); trying the source package`);
      const debianFault = await extractInto(tests, work, progress);
      if (debianFault !== null) throw new UsageError(`The tests cannot be fetched here: ${debianFault}. Set WPT_DIR to a copy at commit ${commit}`);
    }
    progress.clear();
    renameSync(await verified(tests, ''), folder);
  } finally {
    progress.clear();
    remove();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

function link(folder: string): void {
  if (folder === checkoutPath) return;
  const old = lstatSync(checkoutPath, { throwIfNoEntry: false });
  if (old !== undefined && !old.isSymbolicLink()) throw new UsageError(`${checkoutPath} is in the way. Remove it and run ${again}`);
  rmSync(checkoutPath, { force: true });
  symlinkSync(folder, checkoutPath, 'junction');
  console.log(`wpt/checkout → ${folder} (commit ${commit.slice(0, 12)})`);
}
