import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { bundleFixture } from '../support/bundle.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { CANARY, ORIGIN, places, versionOf, type Place, type Work } from './encryption.ts';
import { Versions } from './encryption-client.ts';

export interface KillsOptions {
  readonly kills: number;
  readonly seed: number;
  /** Kills of one root, half of them while it is encrypted. */
  readonly killsOfRoot?: number;
  /** What writers write. */
  readonly used?: readonly Place[];
  readonly onRoot?: (done: { readonly kills: number; readonly versions: number }) => void;
}

export interface KillsResult {
  readonly kills: number;
  readonly roots: number;
  /** That were acknowledged, and looked for afterwards. */
  readonly versions: number;
}

const writers = ['one', 'two'] as const;

/** A process that says how far it has come. */
class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';
  #errors = '';
  #heard = (): void => undefined;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (bytes: Buffer) => (this.#errors += bytes.toString()));
    this.#child.stdio[3]?.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString();
      this.#heard();
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve)).then(() => this.#heard());
  }

  get lines(): string[] {
    return this.#said.split('\n').slice(0, -1);
  }

  /** Resolves when it has said so many lines more, or has ended. @throws when it has failed */
  async more(count: number): Promise<void> {
    const goal = this.lines.length + count;
    while (this.lines.length < goal && this.#child.exitCode === null) await new Promise<void>((resolve) => (this.#heard = resolve));
    this.#requireWell();
  }

  async end(): Promise<void> {
    await this.#ended;
    this.#requireWell();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.end();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null;
  }

  #requireWell(): void {
    if ((this.#child.exitCode ?? 0) !== 0) throw new Error(`a process has failed: ${this.#errors}`);
  }
}

/** One root, from when it is plain until its keys have changed some times. */
class Story {
  readonly root = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'holdfast-encryption-'));
  readonly #fixture: string;
  readonly #used: readonly Place[];
  readonly #random: () => number;
  readonly #keys = [randomBytes(32), randomBytes(32)] as const;
  readonly #writing = new Map<string, Worker>();
  readonly #known = new Map<string, number>();
  #plain = 'plain';
  kills = 0;
  versions = 0;

  constructor(fixture: string, used: readonly Place[], random: () => number) {
    this.#fixture = fixture;
    this.#used = used;
    this.#random = random;
  }

  #start(work: Work, name = ''): Worker {
    return new Worker([this.#fixture, work, this.root, name, this.#plain, this.#used.join(','), ...this.#keys.map((key) => key.toString('hex'))]);
  }

  async fill(): Promise<void> {
    for (const name of writers) {
      const filler = this.#start('fill', name);
      await filler.end();
      this.#note(name, filler);
    }
    this.#plain = 'migrate';
  }

  #note(name: string, worker: Worker): void {
    for (const line of worker.lines) {
      const at = line.lastIndexOf(' ');
      this.#known.set(`${name} ${line.slice(0, at)}`, Number(line.slice(at + 1)));
      this.versions += 1;
    }
  }

  async #write(): Promise<void> {
    for (const name of writers) if (!this.#writing.has(name)) this.#writing.set(name, this.#start('write', name));
    await Promise.all([...this.#writing.values()].map((writer) => writer.more(1)));
  }

  async #killWriter(name: string): Promise<void> {
    const writer = this.#writing.get(name);
    if (writer === undefined) return;
    this.#writing.delete(name);
    this.kills += 1;
    await writer.kill();
    this.#note(name, writer);
  }

  /** Kills whoever changes keys at any time, and a writer now and then. */
  async under(work: 'encrypt' | 'rotate', kills: number): Promise<void> {
    for (const until = this.kills + kills; this.kills < until; ) {
      await this.#write();
      const changer = this.#start(work);
      await changer.more(1);
      await pause(this.#random() * 250);
      if (this.#random() < 0.4) await this.#killWriter(writers[Math.floor(this.#random() * writers.length)] ?? 'one');
      if (!changer.hasEnded) this.kills += 1;
      await changer.kill();
      this.#forgetLock();
      if (this.#random() < 0.3) await this.#check();
    }
  }

  async #stopWriters(): Promise<void> {
    for (const name of writers) await this.#killWriter(name);
  }

  /** Encrypts what is left, which nobody keeps it from; from then on nothing plain is read. */
  async finish(): Promise<void> {
    await this.#stopWriters();
    await this.#start('encrypt').end();
    this.#plain = 'refuse';
    await this.#check();
    this.#requireNothingPlain();
  }

  async end(): Promise<void> {
    await this.#check();
    this.#requireNothingPlain();
  }

  /** What each writer has told of is there, or the next, and whole. */
  async #check(): Promise<void> {
    await this.#stopWriters();
    const [key, previous] = this.#keys;
    const host = new StorageHost({ root: this.root, encryption: { key, previous: [previous], plain: this.#plain === 'migrate' ? 'migrate' : 'refuse' } });
    try {
      for (const name of writers) for (const place of this.#used) await this.#checkOne(new Versions(host.origin(ORIGIN), name), name, place);
    } finally {
      await host.close();
    }
  }

  async #checkOne(versions: Versions, name: string, place: Place): Promise<void> {
    const text = await versions.read(place);
    const [known, found] = [this.#known.get(`${name} ${place}`) ?? 0, versionOf(text, place)];
    if (found !== known && found !== known + 1) throw new Error(`${name} was told that it has version ${known} of '${place}', and has ${Number.isNaN(found) ? `'${String(text).slice(0, 80)}'` : found}`);
  }

  #requireNothingPlain(): void {
    const found = plainIn(this.root);
    if (found.length > 0) throw new Error(`plain in the end: ${found.join(', ')}`);
  }

  /** That of whoever was killed is anybody's in ten seconds, which nobody needs to wait for here. */
  #forgetLock(): void {
    const lock = path.join(this.root, 'maintenance.lock');
    if (fs.existsSync(lock)) fs.utimesSync(lock, 0, 0);
  }

  async remove(): Promise<void> {
    for (const writer of this.#writing.values()) await writer.kill().catch(() => undefined);
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

/** The files and directories in which, or in whose names, there is the canary. */
function plainIn(root: string): string[] {
  const has = (bytes: Buffer): boolean => (['utf8', 'utf16le'] as const).some((encoding) => bytes.includes(Buffer.from(CANARY, encoding)));
  return fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = path.join(root, name);
    return has(Buffer.from(name)) || (fs.lstatSync(file).isFile() && has(fs.readFileSync(file)));
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Roots that are encrypted, and whose keys change, while two processes write to all that an origin has, and whoever does
 * any of that is killed at random. @throws where something is lost, half, or plain in the end, or a process fails
 */
export async function encryptionKills({ kills, seed, killsOfRoot = 40, used = places, onRoot }: KillsOptions): Promise<KillsResult> {
  const fixture = await bundleFixture(new URL('encryption-fixture.ts', import.meta.url));
  const random = mulberry32(seed);
  const total = { kills: 0, roots: 0, versions: 0 };
  while (total.kills < kills) {
    const story = new Story(fixture, used, random);
    try {
      const share = Math.min(killsOfRoot, kills - total.kills) / 2;
      await story.fill();
      await story.under('encrypt', share);
      await story.finish();
      await story.under('rotate', share);
      await story.end();
    } finally {
      await story.remove();
    }
    total.kills += story.kills;
    total.versions += story.versions;
    total.roots += 1;
    onRoot?.(total);
  }
  fs.rmSync(fixture, { force: true });
  return total;
}
