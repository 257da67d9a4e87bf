import type { IndexedDBPlace } from '../place.ts';
import { OpenDatabase } from './open-database.ts';

const buckets = new WeakMap<IndexedDBPlace, Bucket>();

/** What this realm has open in a bucket, for all its factories. */
export class Bucket {
  readonly place: IndexedDBPlace;
  readonly #open = new Map<string, OpenDatabase>();

  constructor(place: IndexedDBPlace) {
    this.place = place;
  }

  static of(place: IndexedDBPlace): Bucket {
    const known = buckets.get(place);
    if (known !== undefined) return known;
    const made = new Bucket(place);
    buckets.set(place, made);
    return made;
  }

  /** Whoever calls has the database's queue, and visits it at once. Null: there is none of that name. */
  async find(name: string): Promise<OpenDatabase | null> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    await this.place.databases.encrypt(name);
    const records = await this.place.databases.open(name);
    return records === null ? null : this.#opened(name, records);
  }

  /** Of a database that this realm has open, though somebody writes to it. Null: it has to be looked for. */
  versionOf(name: string): number | null {
    return this.#open.get(name)?.schema?.version ?? null;
  }

  /** For a name of which there is none. Whoever calls is the same. */
  async create(name: string): Promise<OpenDatabase> {
    return this.#opened(name, await this.place.databases.create(name));
  }

  #opened(name: string, records: OpenDatabase['records']): OpenDatabase {
    const database = new OpenDatabase(records, this.place.locks, this.place.platform, () => this.#open.delete(name));
    this.#open.set(name, database);
    return database;
  }
}
