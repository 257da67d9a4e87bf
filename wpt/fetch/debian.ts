import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Progress } from '../terminal.ts';
import { lastLine, run } from './run.ts';
import { commit, debian, folders } from './upstream.ts';

interface SourceArchive {
  readonly uri: string;
  readonly bytes: number;
  readonly hash: string;
}

/**
 * Takes the tests out of the source package that contains them. apt keeps all its state in `work`, so nothing on the
 * machine changes and no privilege is needed. The result says in one line why it did not work; null when it did.
 */
export async function extractInto(folder: string, work: string, progress: Progress): Promise<string | null> {
  if ((await run('apt-get', ['--version'])).code !== 0) return 'apt-get is not here';
  const apt = new PrivateApt(work);
  progress.say('looking for the source package');
  const archive = await apt.findArchive();
  if (typeof archive === 'string') return archive;
  const file = join(work, 'orig.tar.xz');
  const fault = await apt.download(archive, file, progress);
  if (fault !== null) return fault;
  return unpack(file, archive.bytes, work, folder, progress);
}

/** apt with its own sources, lists and caches: the machine's own, asked for source packages. */
class PrivateApt {
  readonly #options: readonly string[];
  readonly #work: string;

  constructor(work: string) {
    this.#work = work;
    for (const part of ['sources', 'lists/partial', 'archives/partial']) mkdirSync(join(work, part), { recursive: true });
    this.#options = [
      `Dir::State=${work}`,
      'Dir::State::status=/dev/null',
      `Dir::Cache=${work}`,
      'Dir::Etc::sourcelist=/dev/null',
      `Dir::Etc::sourceparts=${join(work, 'sources')}`,
      'Acquire::Languages=none',
      `APT::Sandbox::User=${process.env['USER'] ?? 'root'}`,
    ].flatMap((option) => ['-o', option]);
  }

  async findArchive(): Promise<SourceArchive | string> {
    if ((await this.#copySources()) === 0) return 'apt has no sources';
    const update = await run('apt-get', [...this.#options, 'update'], { timeout: 5 * 60_000 });
    if (update.code !== 0) return lastLine(update.stderr);
    const version = await this.#findVersion();
    if (version === null) return `apt has no source package ${debian.package} ${debian.series}.x`;
    const args = [...this.#options, 'source', '--print-uris', '--only-source', `${debian.package}=${version}`];
    const { code, stdout, stderr } = await run('apt-get', args, { timeout: 60_000 });
    const found = /^'(?<uri>[^']+\.orig\.tar\.xz)' \S+ (?<bytes>\d+) (?<hash>\S+)$/m.exec(stdout)?.groups;
    if (code !== 0 || found === undefined) return lastLine(stderr) || `no source package ${debian.package}`;
    return { uri: found['uri'] ?? '', bytes: Number(found['bytes']), hash: found['hash'] ?? '' };
  }

  async download(archive: SourceArchive, file: string, progress: Progress): Promise<string | null> {
    const helper = join((await aptPath('Dir::Bin::methods')) ?? '/usr/lib/apt/methods', '..', 'apt-helper');
    const watch = setInterval(() => progress.part('downloading', sizeOf(file) + sizeOf(`${file}.part`), archive.bytes), 250);
    try {
      const { code, stderr } = await run(helper, [...this.#options, 'download-file', archive.uri, file, archive.hash]);
      return code === 0 ? null : lastLine(stderr);
    } finally {
      clearInterval(watch);
    }
  }

  /** Later series of the package carry later tests. */
  async #findVersion(): Promise<string | null> {
    const { stdout } = await run('apt-cache', [...this.#options, 'showsrc', debian.package], { timeout: 60_000 });
    const versions = [...stdout.matchAll(/^Version: (.+)$/gm)].map(([, version = '']) => version);
    return versions.find((version) => version.startsWith(`${debian.series}.`)) ?? null;
  }

  /** The machine's own sources, as sources of source packages; returns how many files there were. */
  async #copySources(): Promise<number> {
    const list = await aptPath('Dir::Etc::sourcelist');
    const parts = await aptPath('Dir::Etc::sourceparts');
    const files = parts === null || !existsSync(parts) ? [] : readdirSync(parts).map((name) => join(parts, name));
    if (list !== null && existsSync(list)) files.push(list);
    const sources = files.filter((file) => /\.(list|sources)$/.test(file));
    for (const file of sources) {
      const text = readFileSync(file, 'utf8');
      writeFileSync(join(this.#work, 'sources', basename(file)), asSourcePackages(file, text));
    }
    return sources.length;
  }
}

/** Both forms of apt's source files: one line a source, and paragraphs of fields. */
export function asSourcePackages(file: string, text: string): string {
  if (file.endsWith('.sources')) return text.replaceAll(/^Types:.*$/gim, 'Types: deb-src');
  return text.replaceAll(/^deb-src\s.*$/gm, '').replaceAll(/^deb(?=\s)/gm, 'deb-src');
}

async function aptPath(setting: string): Promise<string | null> {
  const { stdout } = await run('apt-config', ['shell', 'VALUE', `${setting}/f`]);
  return /^VALUE='(.*)'$/m.exec(stdout)?.[1] ?? null;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Unpacks the wanted folders only, and refuses a package whose tests are of another commit. */
async function unpack(archive: string, bytes: number, work: string, folder: string, progress: Progress): Promise<string | null> {
  const target = join(work, 'unpacked');
  mkdirSync(target);
  const wanted = [...folders.map((name) => `${debian.tests}/${name}`), debian.commitFile].map((path) => `*/${path}`);
  const tar = spawn('tar', ['-xJ', '-C', target, '--wildcards', ...wanted], { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    tar.on('error', () => resolve(null));
    tar.on('close', resolve);
  });
  let read = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read += chunk.length;
      progress.part('unpacking', read, bytes);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(archive, { highWaterMark: 1 << 20 }), counter, tar.stdin).catch(() => undefined);
  if ((await ended) !== 0) return lastLine(stderr) || 'tar could not unpack the archive';
  const top = join(target, readdirSync(target)[0] ?? '');
  const found = readFileSync(join(top, debian.commitFile), 'utf8');
  if (!found.includes(commit)) return `the tests in ${debian.package} are of another commit (${found.trim()})`;
  renameSync(join(top, debian.tests), folder);
  return null;
}
