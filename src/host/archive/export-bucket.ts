import fs from 'node:fs';
import path from 'node:path';
import { cachesPart } from '../caches/provide.ts';
import { MapJournal } from '../../disk/map/map-journal.ts';
import type { BucketEntry } from '../../disk/buckets/policies.ts';
import type { BucketPlace } from '../../disk/place.ts';
import { readNewest } from '../../disk/survey/read-newest.ts';
import { placeOfResponse } from '../../disk/spelling.ts';
import { contentOfFile, contentOfSealed } from './content-of-file.ts';
import { exportDatabases } from './export-databases.ts';
import { exportFiles } from './export-files.ts';
import { PART_BYTES, type BucketHead, type RequestHead } from './layout.ts';
import type { Pieces, TarWriter } from './tar-writer.ts';

/** Whose bucket is exported. */
export interface ExportedBucket {
  readonly origin: string;
  readonly name: string;
  /** Null: the default one. */
  readonly entry: BucketEntry | null;
  readonly place: BucketPlace;
  readonly foldsNames: boolean;
}

/** All that a bucket has, below `at`. */
export async function* exportBucket(to: TarWriter, at: string, bucket: ExportedBucket): Pieces {
  yield* to.whole(`${at}/bucket.json`, `${JSON.stringify(headOf(bucket))}\n`);
  if (bucket.entry === null) yield* exportItems(to, at, bucket);
  yield* exportContents(to, at, bucket);
}

/** The files, caches and databases of a bucket. */
export async function* exportContents(to: TarWriter, at: string, bucket: Pick<ExportedBucket, 'place' | 'foldsNames'>): Pieces {
  yield* exportFiles(to, at, bucket);
  yield* exportCaches(to, at, bucket.place);
  yield* exportDatabases(to, at, bucket);
}

function headOf({ name, entry, place }: ExportedBucket): BucketHead {
  if (entry === null) return { name, persisted: fs.existsSync(path.join(place.path, 'persisted')) };
  const { persisted, durability, quota, expires } = entry;
  return { name, persisted, durability, quota, expires };
}

/** Only the default bucket has localStorage. */
function* exportItems(to: TarWriter, at: string, { origin, place }: ExportedBucket): Generator<Uint8Array, void> {
  const map = new MapJournal(place, { url: `${origin}/` });
  let entries: [string, string][];
  try {
    entries = [...map.current().entries()];
  } finally {
    map.close();
  }
  yield* exportEntries(to, at, entries);
}

/** The entries of a map. */
export function* exportEntries(to: TarWriter, at: string, entries: Iterable<readonly [string, string]>): Generator<Uint8Array, void> {
  let part = 0;
  for (const lines of inParts(entries)) yield* to.whole(`${at}/local-storage/${part++}.jsonl`, lines);
}

/** Lines of JSON, which has a form for lone surrogates. */
function* inParts(entries: Iterable<readonly [string, string]>): Generator<string> {
  let lines: string[] = [];
  let length = 0;
  for (const entry of entries) {
    const line = `${JSON.stringify(entry)}\n`;
    lines.push(line);
    length += line.length;
    if (length < PART_BYTES) continue;
    yield lines.join('');
    lines = [];
    length = 0;
  }
  if (lines.length > 0) yield lines.join('');
}

/** The index is read as of one moment. What is replaced meanwhile is left out. */
async function* exportCaches(to: TarWriter, at: string, { path: bucket, encryption }: BucketPlace): Pieces {
  const machine = readNewest(path.join(bucket, 'caches', 'index'), () => new cachesPart.code.CacheMachine(), encryption?.journal('caches/index'));
  let cache = 0;
  for (const { name, entries } of [...(machine?.caches.values() ?? [])].map((list) => ({ name: list.name, entries: [...list] }))) {
    const directory = `${at}/caches/${cache++}`;
    yield* to.whole(`${directory}/cache.json`, JSON.stringify({ name }));
    let number = 0;
    for (const { url, fragment, headers, file, size } of entries) {
      const response = path.join(bucket, 'caches', 'responses', file);
      const sealing = encryption?.sealing.bound(placeOfResponse(file));
      if (!isThere(response, sealing?.stored(size) ?? size)) continue;
      const head: RequestHead = { url, fragment, headers };
      yield* to.whole(`${directory}/${number}.json`, JSON.stringify(head));
      yield* to.stream(`${directory}/${number}.response`, size, sealing === undefined ? contentOfFile(response) : contentOfSealed(response, sealing));
      number += 1;
    }
  }
}

/** It is complete before it is named, and never changes. */
function isThere(file: string, size: number): boolean {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === size;
}
