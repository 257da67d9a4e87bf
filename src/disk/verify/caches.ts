import fs from 'node:fs';
import path from 'node:path';
import { isLink } from '../directories.ts';
import { generationPath, listGenerations } from '../journal/generation-file.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import type { PlaceKeys } from '../place.ts';
import type { CacheMachine } from '../caches/machine.ts';
import type { Fault } from './finding.ts';
import { inspect } from './generation.ts';
import type { Knowledge } from './knowledge.ts';

/** How often it is tried to look at the responses while nobody changes the index. */
const ATTEMPTS = 3;

/** An index as it was at one moment. */
interface Index {
  readonly machine: CacheMachine;
  readonly moment: string;
  /** Whether all of it could be read: else what it does not name may be what is lost with the rest. */
  readonly isWhole: boolean;
}

/**
 * Whether each response that the index of a bucket's caches names is there as it was written, and how many are there
 * that it does not name.
 *
 * @throws the operating system's error
 */
export function verifyCaches(caches: string, knowledge: Knowledge, keys: PlaceKeys | null): Fault[] {
  if (isLink(caches)) return [];
  const encryption = keys?.journal('caches/index') ?? null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // In this order: what is named meanwhile is not taken for a stray.
    const there = knowledge.responses.list(caches);
    const index = read(caches, knowledge, encryption);
    if (index === null) return [];
    const faults = knowledge.responses.faults(caches, index.machine, keys?.sealing ?? null);
    const isCalm = faults.length === 0 || read(caches, knowledge, encryption)?.moment === index.moment;
    if (isCalm) return [...faults.map(lost), ...(index.isWhole ? strays(caches, there, index.machine) : [])];
  }
  return [];
}

/** Null where there is none, or one that cannot be read: then that is found elsewhere. */
function read(caches: string, { machines }: Knowledge, encryption: JournalEncryption | null): Index | null {
  const journal = path.join(caches, 'index');
  const number = listGenerations(journal)?.at(-1);
  const machine = machines['caches/index']();
  const inspection = number === undefined ? null : inspect(journal, number, machine, generationPath(journal, number), encryption);
  if (inspection === null || inspection.isSealed || inspection.seal !== null || inspection.flaws.some(({ reach }) => reach !== 'bytes')) return null;
  return { machine, moment: `${number}:${inspection.end}`, isWhole: inspection.flaws.length === 0 };
}

function lost({ path: at, url, isMissing }: ReturnType<Knowledge['responses']['faults']>[number]): Fault {
  const what = isMissing ? 'is missing' : 'is not as it was written';
  return { kind: 'damaged', path: at, offset: 0, length: 0, message: `The response for '${url}' ${what}: it counts as not cached.` };
}

function strays(caches: string, there: readonly string[], machine: CacheMachine): Fault[] {
  const named = new Set([...machine.caches.values()].flatMap((cache) => Array.from(cache, ({ file }) => file)));
  const unnamed = there.filter((name) => !named.has(name)).map((name) => path.join(caches, 'responses', name));
  if (unnamed.length === 0) return [];
  const bytes = unnamed.reduce((total, file) => total + (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  const message = `${unnamed.length} responses of ${bytes} bytes are in no cache: they are being stored, or were when their process was killed. Then the next user of the caches deletes them. Nothing is lost.`;
  return [{ kind: 'torn', path: path.join(caches, 'responses'), offset: 0, length: 0, message }];
}
