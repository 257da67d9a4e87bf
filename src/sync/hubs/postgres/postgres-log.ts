import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { BlobCollection, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from '../../hub.ts';
import type { AppendQueue } from '../append-queue.ts';
import { requireIds, requirePosition } from '../log-arguments.ts';
import { logDigest, logLabel } from '../log-names.ts';
import type { Connections } from './connection.ts';
import type { News } from './news.ts';
import { MAX_BLOB_BYTES, MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_SNAPSHOT_BYTES } from './schema.ts';
import { bytesIn, countIn, entriesIn, headIn, nameIn, snapshotIn, type Row } from './rows.ts';
import type { Statement, Statements } from './statements.ts';

/** Blobs that are asked about, or removed, at once. */
const PAGE = 4096;

/** Which log. */
export interface LogId {
  /** In hexadecimal. */
  readonly key: string;
  readonly label: string;
}

/** What the logs of one hub share. */
export interface PostgresEngine {
  readonly name: string;
  readonly connections: Connections;
  readonly statements: Statements;
  readonly news: News;
  readonly queue: AppendQueue<LogId>;
}

/** A log in a PostgreSQL. */
export class PostgresLog implements HubLog {
  readonly #engine: PostgresEngine;
  readonly #key: Buffer;
  readonly #label: string;

  constructor(engine: PostgresEngine, name: string) {
    this.#engine = engine;
    this.#key = logDigest(name);
    this.#label = logLabel(name);
  }

  async head(): Promise<LogHead> {
    return this.#perform('ask for the head of', async () => {
      const found = await this.#findHead();
      if (found !== undefined) return found;
      await this.#rows('make', this.#label);
      const made = await this.#findHead();
      if (made === undefined) throw new HoldfastError('hub-incompatible', `The hub ${this.#engine.name} forgets logs that were just made.`);
      return made;
    });
  }

  append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    return this.#perform('append to', async () => {
      requireIds(entries);
      for (const { id, bytes } of entries) this.#requireSize(`The entry '${id}'`, bytes, MAX_ENTRY_BYTES);
      if (entries.length > MAX_ENTRIES) throw new HoldfastError('hub-too-large', `A batch of ${entries.length} entries is larger than ${MAX_ENTRIES}, which the hub ${this.#engine.name} takes.`);
      if (entries.length === 0) return (await this.#findHead())?.position ?? 0;
      return this.#engine.queue.append({ key: this.#key.toString('hex'), label: this.#label }, entries, blobs);
    });
  }

  read(after: number, limit: number): Promise<readonly HubEntry[]> {
    return this.#perform('read', async () => {
      requirePosition(after);
      const { head, trimmed, entries } = entriesIn(await this.#rows('read', after, Math.min(limit, MAX_ENTRIES)));
      if (after < Math.min(trimmed, head)) {
        throw new HoldfastError('hub-trimmed', `The hub ${this.#engine.name} has no entry ${after + 1} of ${this.#label} any more; the first is ${trimmed + 1}.`);
      }
      return entries;
    });
  }

  subscribe(onNews: () => void): Unsubscribe {
    return this.#engine.news.subscribe(this.#key.toString('hex'), onNews);
  }

  snapshot(): Promise<HubSnapshot | null> {
    return this.#perform('get the snapshot of', async () => {
      const [row] = await this.#rows('snapshot');
      return row === undefined ? null : snapshotIn(row);
    });
  }

  async putSnapshot({ position, bytes }: HubSnapshot): Promise<void> {
    return this.#perform('put a snapshot of', async () => {
      requirePosition(position);
      this.#requireSize('The snapshot', bytes, MAX_SNAPSHOT_BYTES);
      await this.#rows('putSnapshot', this.#label, position, bytes);
    });
  }

  trim(upTo: number): Promise<void> {
    return this.#perform('trim', async () => {
      requirePosition(upTo);
      await this.#rows('trim', upTo);
      for (let removed = 1; removed > 0; ) removed = countIn((await this.#rows('sweep'))[0]);
    });
  }

  putBlob(name: string, bytes: Uint8Array): Promise<void> {
    return this.#perform('put a blob of', async () => {
      this.#requireSize(`The blob ${name}`, bytes, MAX_BLOB_BYTES);
      await this.#rows('putBlob', this.#label, name, bytes);
    });
  }

  getBlob(name: string): Promise<Uint8Array | null> {
    return this.#perform('get a blob of', async () => {
      const [row] = await this.#rows('getBlob', name);
      return row === undefined ? null : bytesIn(row);
    });
  }

  hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#perform('look for blobs of', async () => {
      const found = new Set<string>();
      for (let from = 0; from < names.length; from += PAGE) {
        for (const row of await this.#rows('hasBlobs', names.slice(from, from + PAGE))) found.add(nameIn(row));
      }
      return found;
    });
  }

  collectBlobs({ epoch, first, position, isNamed, unusedFor }: BlobCollection): Promise<number> {
    return this.#perform('collect blobs of', async () => {
      for (const number of [first, position, unusedFor]) requirePosition(number);
      let removed = 0;
      for (let after = ''; ; ) {
        const page = (await this.#rows('unusedBlobs', after, unusedFor, PAGE)).map(nameIn);
        const last = page.at(-1) ?? '';
        // In order, as asked, or this would never end.
        if (last <= after) return removed;
        after = last;
        const names = page.filter((name) => !isNamed(name));
        if (names.length > 0) removed += countIn((await this.#rows('removeBlobs', epoch, first, position, unusedFor, names))[0]);
      }
    });
  }

  async #findHead(): Promise<LogHead | undefined> {
    const [row] = await this.#rows('head');
    return row && headIn(row);
  }

  #perform<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return this.#engine.connections.perform(`${doing} the log ${this.#label}`, work);
  }

  /** Runs a statement, whose first parameter is always the log's key. */
  #rows(statement: keyof Statements, ...values: readonly unknown[]): Promise<Row[]> {
    const prepare: Statement = this.#engine.statements[statement];
    return this.#engine.connections.rows<Row>(prepare([this.#key, ...values]));
  }

  #requireSize(what: string, bytes: Uint8Array, most: number): void {
    if (bytes.length <= most) return;
    throw new HoldfastError('hub-too-large', `${what} has ${bytes.length} bytes; the hub ${this.#engine.name} takes up to ${most}.`);
  }
}
