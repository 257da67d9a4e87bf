import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { generationPath, listGenerations } from '../journal/generation-file.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import type { Machine } from '../journal/machine.ts';
import { inspect, type Inspection } from '../verify/generation.ts';

/** How often it is tried to read a generation that nobody seals meanwhile. */
const ATTEMPTS = 16;

/**
 * What a journal says, as of one moment, for who only looks: nothing is appended, made or kept open. Null where there is
 * no journal.
 *
 * @param encryption - null: what is encrypted cannot be read.
 * @throws HoldfastError `journal-damaged`, `unknown-record`; `key-missing`, `key-wrong`, `key-pending`; and what the disk throws
 */
export function readNewest<M extends Machine<unknown>>(directory: string, create: () => M, encryption: JournalEncryption | null = null): M | null {
  for (let attempt = 0; ; attempt += 1) {
    const number = listGenerations(directory)?.at(-1);
    if (number === undefined) return null;
    const machine = create();
    const inspection = inspect(directory, number, machine, generationPath(directory, number), encryption);
    if (inspection?.isSealed === true) throw new HoldfastError('key-missing', `The journal ${directory} is encrypted.`);
    // Its successor may not have its name yet, or be the copy's that this is: then what it says is the last that is known.
    const isLast = inspection?.seal === null || (inspection !== null && attempt === ATTEMPTS);
    if (isLast) return requireReadable(directory, inspection) && machine;
  }
}

function requireReadable(directory: string, { flaws }: Inspection): true {
  const flaw = flaws.find(({ reach, kind }) => reach !== 'bytes' && kind !== 'torn');
  if (flaw === undefined) return true;
  // Of a key nothing is damaged.
  if (flaw.cause instanceof HoldfastError && flaw.cause.code.startsWith('key-')) throw flaw.cause;
  throw new HoldfastError(flaw.kind === 'newer' ? 'unknown-record' : 'journal-damaged', `The journal ${directory} cannot be read: ${flaw.what}`);
}
