import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bundleMutant, type Mutant } from '../support/mutant.ts';
import { isEncrypted } from '../support/sealed.ts';
import { some } from '../support/thorough.ts';
import { nodeWithSqlite } from './support/other-node.ts';

/** One that a check of the suite must notice, or else the model. */
interface Watched extends Mutant {
  readonly check?: string;
  /** Whether it is about what encrypted databases do not have, as only the built-in SQLite does: snapshots, a log, values as text. */
  readonly builtIn?: true;
}

const mutants: readonly Watched[] = [
  { what: 'a unique index takes any key', file: 'disk/records/writing.ts', from: 'if (index.unique && isTaken(', to: 'if (index.unique && !isTaken(' },
  { what: 'a record is in the way of itself', file: 'disk/records/writing.ts', from: ' AND p <> ? LIMIT 1', to: ' AND p IS NOT NULL AND ? IS NOT NULL LIMIT 1', check: 'may keep its key' },
  { what: 'entries of a deleted record stay', file: 'disk/records/write-transaction.ts', from: 'if (old.indexKeys !== null) deleteEntries', to: 'if (old.indexKeys === null) deleteEntries' },
  { what: 'entries of a replaced record stay', file: 'disk/records/writing.ts', from: '  if (old !== null) deleteEntries(', to: '  if (old === null) deleteEntries(' },
  { what: 'prevunique gives the highest primary key', file: 'disk/records/statements.ts', from: 'ORDER BY i.k ${order} LIMIT 1) ORDER BY i.p LIMIT', to: 'ORDER BY i.k ${order} LIMIT 1) ORDER BY i.p ${order} LIMIT' },
  { what: 'a cursor goes on behind the key of its place', file: 'disk/records/bounds.ts', from: 'edge(after.key, true, hasPlaces ? after.primaryKey : null)', to: 'edge(after.key, true, null)' },
  { what: 'a generator is not written at the commit', file: 'disk/records/write-transaction.ts', from: 'if (isUsed) this.session', to: 'if (!isUsed) this.session' },
  { what: 'readers share a state that is older', file: 'disk/records/readers.ts', from: 'if (this.#latest.state === state) return this.#latest;', to: 'return this.#latest;', builtIn: true },
  { what: 'an undone upgrade leaves its schema in memory', file: 'disk/records/sql-session.ts', from: '    this.#setSchema(schema);\n    this.#number = -1;', to: '    this.#setSchema(schema);' },
  { what: 'a file goes while a record refers to it', file: 'disk/records/blob-garbage.ts', from: '!this.#blobs.isHeld(id) && !this.isMentioned(id)', to: '!this.#blobs.isHeld(id)', check: 'not before' },
  { what: 'a file goes while somebody holds it', file: 'disk/records/blob-directory.ts', from: 'return this.#held.has(id) || this.#holds.isHeld(this.#name, id);', to: 'return false;', check: 'somebody holds' },
  { what: 'a file goes while somebody reads an older state', file: 'disk/records/blob-garbage.ts', from: 'this.#checkpoints?.run() === false', to: 'this.#checkpoints?.run() === null', check: 'snapshot goes on', builtIn: true },
  { what: 'a file stays though nothing refers to it', file: 'disk/records/writing.ts', from: ' AND refs <= 0', to: ' AND refs < 0', check: 'not before' },
  { what: 'a new record has no entries in indexes', file: 'disk/records/writing.ts', from: 'lastRow !== free', to: 'lastRow === free' },
  { what: 'a record is replaced as if it kept its index keys', file: 'disk/records/writing.ts', from: ' AND x IS excluded.x', to: '' },
  { what: 'values in files are left out where many are read at once', file: 'disk/records/statements.ts', from: 'count(*) = count(v) AND count(b) = 0 AND ', to: '' },
  { what: 'values in files are none where several are asked for', file: 'disk/records/statements.ts', from: "ifnull(length(s.v), '-') ELSE '-' END", to: 'ifnull(length(s.v), 0) ELSE 0 END' },
  { what: 'a long value is hexadecimal too', file: 'disk/records/statements.ts', from: 'THEN hex(s.v) ELSE s.v END', to: 'THEN hex(s.v) ELSE hex(s.v) END', check: 'asked for alone', builtIn: true },
  { what: 'what others are not charged for has no room', file: 'disk/records/growth.ts', from: 'if (this.#unseen === 0) throw error;', to: 'throw error;', check: 'as many transactions', builtIn: true },
  { what: 'what was charged stays a guess', file: 'disk/records/growth.ts', from: '    else this.#look();', to: '', check: 'before others write', builtIn: true },
  { what: 'what others have written is charged for as well', file: 'disk/records/growth.ts', from: 'if (this.#haveOthersWritten()) this.#giveUp();\n    else ', to: '', check: 'whose turn was taken away', builtIn: true },
  { what: 'a log that was cut is given back twice', file: 'disk/records/growth.ts', from: 'this.#before = Math.min(this.#before, this.#logSize());', to: ';', check: 'given back once', builtIn: true },
  { what: 'pages of a log before it began anew count', file: 'disk/records/log-fill.ts', from: 'if (salt !== this.#salt) this.#frames = 0;', to: '', check: 'is counted', builtIn: true },
  { what: 'a log is never brought over', file: 'disk/records/checkpoints.ts', from: 'if (bytes < MANY * FRAME_BYTES) return;', to: 'if (bytes > 0) return;', check: 'as it fills', builtIn: true },
  { what: 'a reader keeps a schema that was changed while it read', file: 'disk/records/readers.ts', from: 'if (snapshot.upgrades !== this.#upgrades) ', to: 'if (snapshot.upgrades > this.#upgrades) ', check: 'after an upgrade', builtIn: true },
  { what: 'who opens a database reads by an older schema', file: 'disk/records/sqlite-database.ts', from: '      this.#readers.forgetSchema();\n      const', to: '      const', check: 'after an upgrade', builtIn: true },
  { what: 'a reader keeps a schema that was changed', file: 'disk/records/readers.ts', from: 'for (const { session } of this.#idle) session.forgetSchema();', to: '', check: 'after an upgrade' },
];

/** Whether a run of it finds anything wrong. */
async function isNoticed(mutant: Watched): Promise<boolean> {
  const entry = mutant.check === undefined ? 'model-run.ts' : 'suite-run.ts';
  const file = await bundleMutant(new URL(`core/${entry}`, import.meta.url), mutant);
  const env = { ...process.env, RUNS: '300', SEED: '1', ...(mutant.check !== undefined && { CHECK: mutant.check }) };
  const failed = await new Promise<boolean>((resolve) => void execFile(nodeWithSqlite ?? '', ['--no-warnings', file], { env, maxBuffer: 2 ** 26, timeout: 120_000 }, (error) => resolve(error !== null)));
  fs.rmSync(file);
  return failed;
}

describe.runIf(nodeWithSqlite !== null)('it is noticed that', () => {
  test.each(some(mutants.filter(({ builtIn }) => !isEncrypted || builtIn === undefined), 'records'))('$what', { timeout: 180_000 }, async (mutant) => expect(await isNoticed(mutant)).toBe(true));
});
