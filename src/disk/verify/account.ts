import path from 'node:path';
import { generationPath, listGenerations } from '../journal/generation-file.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import type { PlaceKeys } from '../place.ts';
import type { Fault } from './finding.ts';
import { inspect } from './generation.ts';
import type { Knowledge } from './knowledge.ts';

/** How often it is tried to weigh them while nobody writes to the account. */
const ATTEMPTS = 3;

/** What an account says, and of which moment. */
interface Statement {
  readonly taken: number;
  /** Whether it says itself that it may be wrong: then it is counted again anyway. */
  readonly isDoubtful: boolean;
  readonly moment: string;
}

/**
 * Whether the files and databases of a bucket take no more than its account says: what is in use and reserved never is less than what
 * is there. More it may be, for what was freed is told later.
 *
 * @throws the operating system's error
 */
export function verifyAccount(bucket: string, { machines, weigh }: Knowledge, keys: PlaceKeys | null): Fault[] {
  const journal = path.join(bucket, 'quota');
  const encryption = keys?.journal('quota') ?? null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = read(journal, machines, encryption);
    if (before === null || before.isDoubtful) return [];
    let there = 0;
    for (const { bytes } of weigh(bucket)) there += bytes;
    if (there <= before.taken) return [];
    if (read(journal, machines, encryption)?.moment === before.moment) return [short(journal, before.taken, there)];
  }
  return [];
}

/** Null where there is no account, or one that cannot be read: then that is found elsewhere. */
function read(journal: string, machines: Knowledge['machines'], encryption: JournalEncryption | null): Statement | null {
  const number = listGenerations(journal)?.at(-1);
  const machine = machines.quota();
  const inspection = number === undefined ? null : inspect(journal, number, machine, generationPath(journal, number), encryption);
  if (inspection === null || inspection.isSealed || inspection.seal !== null || inspection.flaws.some(({ kind }) => kind !== 'torn')) return null;
  const isDoubtful = machine.doubtful || machine.counting !== null || machine.countedAt === 0;
  return { taken: machine.taken, isDoubtful, moment: `${number}:${inspection.end}` };
}

function short(journal: string, taken: number, there: number): Fault {
  const message = `The account says that ${taken} bytes are taken; it is ${there}. Nothing is lost: they are counted again within a day. Until then more may be stored than the quota allows.`;
  return { kind: 'quota', path: journal, offset: 0, length: 0, message };
}
