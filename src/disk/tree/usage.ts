import fs from 'node:fs';
import { nextTurn } from '../../runtime/timers.ts';
import { decodeName } from '../names/name.ts';
import { childrenOf } from './entries.ts';
import { kindOf } from './locate.ts';
import { systemCode } from './tree-error.ts';

/** Entries looked at before other work has its turn: about half a millisecond. */
const SLICE = 256;

/**
 * The sum of the sizes of all files below a directory, in bytes. What changes meanwhile counts before or after. What
 * moves have put deeper than the longest path that the system takes is out of reach, and so not counted.
 */
export async function bytesBelow(root: string, foldsNames: boolean): Promise<number> {
  const waiting = [root];
  let bytes = 0;
  let looked = 0;
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of childrenOf(directory)) {
      if ((looked += 1) % SLICE === 0) await nextTurn();
      const kind = kindOf(entry);
      const path = `${directory}/${entry.name}`;
      if (kind === 'directory') waiting.push(path);
      else if (kind === 'file' && decodeName(entry.name, foldsNames) !== null) bytes += sizeOf(path);
    }
  }
  return bytes;
}

function sizeOf(path: string): number {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch (error) {
    if (systemCode(error) === 'ENAMETOOLONG') return 0;
    throw error;
  }
}
