import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { fates, imageOf, restore, type Fate } from '../crash/support/disk-images.ts';
import type { DiskHistory } from '../crash/support/disk-log.ts';
import { StorageHost } from '../../src/index.ts';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, contentOf, fill, fillDatabase, key, ORIGIN, recordOf } from './operator.ts';
import { idsIn, treeHas } from './support.ts';
import { Versions, type Work } from './power-loss-work.ts';

export interface Story {
  readonly work: Work;
  /** Versions that somebody else writes meanwhile, of each kind. */
  readonly rounds: number;
  /** Of the host that changes keys; whoever writes meanwhile is strict. */
  readonly durability?: 'strict' | 'relaxed';
}

/** What was done to a disk, and what was there before. */
export interface Record {
  readonly story: Story;
  readonly history: DiskHistory;
  /** The entries that were there before anything was done. */
  readonly start: number;
  readonly content: unknown;
}

/** Has a process of the bundled fixture encrypt an origin that has everything, or change its keys. */
export async function record(fixture: string, story: Story): Promise<Record> {
  const place = temporaryDirectory();
  const watched = path.join(place, 'watched');
  fs.mkdirSync(watched);
  const content = await using(new StorageHost({ root: path.join(watched, 'root'), durability: 'strict', ...(story.work === 'rekey' && { encryption: { key } }) }), async (host) => {
    const client = host.origin(ORIGIN);
    await fill(client, 'before');
    await fillDatabase(client);
    await recordOf(client);
    // Something that was removed, and a history.
    for (let round = 0; round < 3; round += 1) client.localStorage.setItem(CANARY, `${CANARY} ${round}`.repeat(20_000));
    client.localStorage.setItem(CANARY, CANARY);
    return contentOf(client);
  });
  const outcome = path.join(place, 'history.json');
  await promisify(execFile)(process.execPath, [fixture, story.work, watched, outcome, Buffer.from(key).toString('hex'), String(story.rounds), story.durability ?? 'strict']);
  const history = JSON.parse(fs.readFileSync(outcome, 'utf8')) as DiskHistory;
  return { story, history, content, start: 1 + history.entries.findIndex(({ type }) => type === 'prepared') };
}

async function using<T>(host: StorageHost, body: (host: StorageHost) => Promise<T>): Promise<T> {
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** Where power may be lost: after which entry, and what the disk has kept. */
export interface Loss {
  readonly length: number;
  readonly fate: Fate;
}

/** All that the model knows of: at each moment the extremes, and so many disks in between. */
export function losses({ history, start }: Record, seeds: number): Loss[] {
  const found: Loss[] = [];
  for (let length = start; length <= history.entries.length; length += 1) {
    if (!isAmidRename(history, length)) found.push(...fates(length, seeds).map((fate) => ({ length, fate })));
  }
  return found;
}

/** Those right after all was done. */
export function lastLosses(record: Record, seeds: number): Loss[] {
  return fates(1, seeds).map((fate) => ({ length: record.history.entries.length, fate }));
}

/** What a kill leaves: all that was done. */
export const killed: Fate = { label: 'all', names: (possible) => possible, data: () => 'kept' };

/** A kill, and losses, right after a name that was there before has gone, wherever that is. */
export function lossesWhen({ history: { entries }, start }: Record, name: string, seeds: number): Loss[] {
  const gone = entries.flatMap((entry, index) => (index >= start && entry.type === 'name' && entry.name === name && entry.inode === null ? [index + 1] : []));
  if (gone.length === 0) throw new Error(`'${name}' has never gone`);
  return gone.flatMap((length) => [killed, ...fates(length, seeds)].map((fate) => ({ length, fate })));
}

function isAmidRename({ entries }: DiskHistory, length: number): boolean {
  const last = entries[length - 1];
  return last?.type === 'name' && last.half === length;
}

/** What is wrong with a disk that is left; null: nothing. */
export async function faultAfter({ story, history, content }: Record, { length, fate }: Loss): Promise<string | null> {
  const place = temporaryDirectory();
  restore(imageOf(history, length, fate), place);
  const acknowledged = history.entries.slice(0, length).filter(({ type }) => type === 'acknowledged').length;
  const isDone = acknowledged === 3 * story.rounds + 1;
  const examined = new Examined(path.join(place, 'root'), content, Math.min(acknowledged, 3 * story.rounds));
  try {
    const fault = await (story.work === 'encrypt' ? examined.encryption(isDone) : examined.rotation(isDone));
    if (fault === null) return null;
    return `after entry ${length - 1} (${JSON.stringify(history.entries[length - 1]).slice(0, 120)}), kept ${fate.label}: ${fault}`;
  } finally {
    fs.rmSync(place, { recursive: true });
  }
}

/** A root that is found after a power loss. */
class Examined {
  readonly #root: string;
  readonly #content: unknown;
  readonly #acknowledged: number;

  constructor(root: string, content: unknown, acknowledged: number) {
    this.#root = root;
    this.#content = content;
    this.#acknowledged = acknowledged;
    // That of whoever has lost power is anybody's in ten seconds, which nobody needs to wait for here.
    const lock = path.join(root, 'maintenance.lock');
    if (fs.existsSync(lock)) fs.utimesSync(lock, 0, 0);
  }

  /** All is there, it can be ended, and then nothing is plain, and all is there still where plain is refused. */
  async encryption(isDone: boolean): Promise<string | null> {
    if (!isDone) {
      const fault = (await this.#wrong('migrate')) ?? (await this.#change((host) => host.encrypt(ORIGIN)));
      if (fault !== null) return fault;
    }
    return this.#plain() ?? this.#wrong('refuse');
  }

  /** All is there, with keys that are known; that can be done again, and only the new one is known then. */
  async rotation(isDone: boolean): Promise<string | null> {
    const fault = this.#forgotten() ?? (await this.#wrong('refuse'));
    if (fault !== null) return fault;
    if (!isDone) return (await this.#change((host) => host.rekey(ORIGIN, { dataKey: true, files: true }))) ?? this.#plain() ?? this.#forgotten() ?? this.#wrong('refuse');
    return this.#plain() ?? (idsIn(this.#root).length === 1 ? null : 'more than one key is known');
  }

  async #change(change: (host: StorageHost) => Promise<unknown>): Promise<string | null> {
    try {
      await using(new StorageHost({ root: this.#root, durability: 'relaxed', encryption: { key, plain: 'migrate' } }), change);
      return null;
    } catch (error) {
      return `it cannot be ended: ${told(error)}`;
    }
  }

  async #wrong(plain: 'migrate' | 'refuse'): Promise<string | null> {
    try {
      return await using(new StorageHost({ root: this.#root, durability: 'relaxed', encryption: { key, plain } }), async (host) => {
        const client = host.origin(ORIGIN);
        const fault = await new Versions(client).fault(this.#acknowledged);
        if (fault !== null) return fault;
        if (!isDeepStrictEqual(await recordOf(client), [CANARY, CANARY.repeat(1_000)])) return 'another record';
        const found = withoutVersions(await contentOf(client));
        return isDeepStrictEqual(found, this.#content) ? null : `another content, with plain ${plain}: ${difference(this.#content, found)}`;
      });
    } catch (error) {
      return `it cannot be read with plain ${plain}: ${told(error)}`;
    }
  }

  #plain(): string | null {
    const found = treeHas(this.#root, CANARY);
    return found.length === 0 ? null : `plain: ${found.join(', ')}`;
  }

  #forgotten(): string | null {
    const known = new Set(idsIn(this.#root));
    const missing = [...tracesIn(path.join(this.#root, 'origins/https_a.example')).ids].filter((id) => !known.has(id));
    return missing.length === 0 ? null : `forgotten: ${missing.join(', ')}`;
  }
}

function withoutVersions(content: unknown): unknown {
  const { items, files, ...rest } = content as { items: { [key: string]: string }; files: { [key: string]: unknown } };
  const without = <T>(all: { [key: string]: T }): { [key: string]: T } => Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'version'));
  return { ...rest, items: without(items), files: without(files) };
}

function told(error: unknown): string {
  const { name, message, stack, cause } = error as Error;
  return `${name}: ${message}${process.env['HOLDFAST_LOSSES'] === undefined ? '' : stack}${cause === undefined ? '' : `; ${told(cause)}`}`;
}

/** Where two contents differ first. */
function difference(wanted: unknown, found: unknown, at = ''): string {
  if (typeof wanted !== 'object' || typeof found !== 'object' || wanted === null || found === null) return isDeepStrictEqual(wanted, found) ? '' : `${at} is ${String(found).slice(0, 40)} in place of ${String(wanted).slice(0, 40)}`;
  const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  for (const name of names) {
    const told = difference((wanted as { [key: string]: unknown })[name], (found as { [key: string]: unknown })[name], `${at}/${name.slice(0, 40)}`);
    if (told !== '') return told;
  }
  return '';
}
