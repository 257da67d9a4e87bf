/** What a lock of a database is for: its connection queue, its open connections, its writers and who reads between them. */
export type Purpose = 'q' | 'c' | 'w';

/** Names of databases that are longer stand in the journal by their hash; in code units. */
const READABLE_LENGTH = 128;

/** The lock of a database for one purpose; of two databases or purposes never the same one. */
export function lockName(purpose: Purpose, database: string): string {
  return database.length <= READABLE_LENGTH ? `${purpose}:${database}` : `${purpose}#${hash(database)}`;
}

/** Of the code units, which need not make sense as characters. Loaded at the first long name only. */
function hash(text: string): string {
  const bytes = Buffer.from(text, 'utf16le');
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
}
