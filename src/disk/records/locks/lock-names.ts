/**
 * What a lock is for: `q` the connection queue, `c` open connections, `w` writers and who reads between them, `b<n>` the
 * file of number n.
 */
export type Purpose = 'q' | 'c' | 'w' | `b${number}`;

/** Names of databases that are longer stand in the journal by their hash; in code units. */
const READABLE_LENGTH = 128;

/** The lock of a database for one purpose; of two databases or purposes never the same one. */
export function lockName(purpose: Purpose, database: string): string {
  return database.length <= READABLE_LENGTH ? `${purpose}:${database}` : `${purpose}#${hash(database)}`;
}

/** What the lock of that name is for. */
export function isFor(purpose: Purpose, lock: string): boolean {
  return lock.startsWith(`${purpose}:`) || lock.startsWith(`${purpose}#`);
}

/** Of the code units, which need not make sense as characters. Loaded at the first long name only. */
function hash(text: string): string {
  const bytes = Buffer.from(text, 'utf16le');
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
}
