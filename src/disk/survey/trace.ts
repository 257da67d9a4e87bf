import fs from 'node:fs';
import path from 'node:path';

export type TracedKind = 'items' | 'files' | 'locks' | 'databases' | 'caches' | 'buckets' | 'channels';

/** What can change in a bucket, and what is written when it does. Locks that are taken are told as files too. */
const JOURNALS: Readonly<Record<TracedKind, readonly string[]>> = {
  items: ['local-storage'],
  files: ['locks', 'quota', 'files-sync'],
  locks: ['locks', 'indexeddb/locks'],
  // Whoever only looks into a database is in its table of locks, too.
  databases: [],
  caches: ['caches/index'],
  buckets: ['register'],
  channels: ['channels'],
};

export const tracedKinds = Object.keys(JOURNALS) as readonly TracedKind[];

/** Where databases are written, beside journals. */
const DATABASES = 'indexeddb/databases';

/**
 * A text for each kind of data of a bucket that is another one when anything of that kind was written since. Looks at
 * names, sizes and times only; nothing is read or opened. What was there and is gone is another text too.
 */
export function traceBucket(bucket: string): Record<TracedKind, string> {
  const known = new Map<string, string>();
  const traceOf = (directory: string): string => {
    const trace = known.get(directory) ?? filesIn(path.join(bucket, directory)).map(traceFile).join();
    known.set(directory, trace);
    return trace;
  };
  const entries = tracedKinds.map((kind) => [kind, JOURNALS[kind].map(traceOf).join(';')] as const);
  const traces = Object.fromEntries(entries) as Record<TracedKind, string>;
  traces.databases += `;${databaseFiles(path.join(bucket, DATABASES)).map(traceFile).join()}`;
  return traces;
}

function traceFile(file: string): string {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${path.basename(file)} ${stats.size} ${stats.mtimeMs}`;
}

const ALL_JOURNALS: ReadonlySet<string> = new Set(tracedKinds.flatMap((kind) => JOURNALS[kind]));

/** When anything of a bucket, or of these journals of it, was written or locked last, in milliseconds since 1970; 0: there is none. */
export function lastChangeOf(bucket: string, journals: Iterable<string> = ALL_JOURNALS): number {
  const files = [...[...journals].flatMap((journal) => filesIn(path.join(bucket, journal))), ...databaseFiles(path.join(bucket, DATABASES))];
  return Math.floor(Math.max(0, ...files.map((file) => fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)));
}

function filesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => /^[0-9]+$/.test(name)).map((name) => path.join(directory, name));
}

function databaseFiles(directory: string): string[] {
  return namesIn(directory).flatMap((name) => ['db', 'db-wal'].map((file) => path.join(directory, name, file)));
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
