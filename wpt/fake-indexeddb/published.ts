import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { lastLine, run } from '../fetch/run.ts';
import { UsageError } from '../project.ts';
import { allPasses, readManifest, type PublishedFile } from './manifest.ts';

const repository = 'https://github.com/dumbmatter/fakeIndexedDB.git';
const folder = 'src/test/web-platform-tests';
const patience = 120_000;

/** What fake-indexeddb says of itself: its package has no tests, so its repository is asked. */
export interface Published {
  readonly commit: string;
  /** By the name of the file in WPT's IndexedDB folder, without what follows the last dot. */
  readonly files: ReadonlyMap<string, PublishedFile>;
}

/** Clones the repository, or FAKE_INDEXEDDB, which is a URL or path of a copy. @throws UsageError where that fails */
export async function fetchPublished(node: number): Promise<Published> {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'fake-indexeddb-'));
  try {
    await clone(process.env['FAKE_INDEXEDDB'] ?? repository, work);
    const { stdout } = await run('git', ['-C', work, 'rev-parse', 'HEAD']);
    return { commit: stdout.trim(), files: readAll(path.join(work, folder), node) };
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

async function clone(source: string, work: string): Promise<void> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true' };
  const { code, stderr } = await run('git', ['clone', '--quiet', '--depth', '1', source, work], { env, timeout: patience });
  if (code !== 0) throw new UsageError(`${source} cannot be had (${lastLine(stderr) || 'no answer'}). Set FAKE_INDEXEDDB to a copy of the repository`);
}

/** Its tests are scripts, made of WPT's files one by one; a manifest is there where not all passes. */
function readAll(tests: string, node: number): Map<string, PublishedFile> {
  const files = new Map<string, PublishedFile>();
  for (const script of fs.readdirSync(path.join(tests, 'converted'))) {
    if (!script.endsWith('.js')) continue;
    const name = script.slice(0, -'.js'.length);
    const manifest = [`overrides/node${node}`, ''].map((place) => path.join(tests, 'manifests', place, `${name}.toml`)).find((file) => fs.existsSync(file));
    files.set(name, manifest === undefined ? allPasses : readManifest(fs.readFileSync(manifest, 'utf8')));
  }
  return files;
}
