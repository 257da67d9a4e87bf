import assert from 'node:assert/strict';
import type { HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { bytesOf, entry, textOf } from './stage.ts';

const WRITES = 10;

/** Appends, and has all forgotten that both readers have. */
async function write(log: HubLog, who: string, isPassed: () => number): Promise<void> {
  for (let number = 1; number <= WRITES; number++) {
    await log.append([entry(`${who}${number}`), entry(`${who}${number}+`)]);
    const position = isPassed();
    if (number % 3 !== 0 || position === 0) continue;
    await log.putSnapshot({ position, bytes: bytesOf('-') });
    await log.trim(position);
  }
}

interface Reader {
  readonly texts: string[];
  position: number;
}

/** Up to the head. */
async function readOn(log: HubLog, reader: Reader): Promise<void> {
  for (let entries = await log.read(reader.position, 7); entries.length > 0; entries = await log.read(reader.position, 7)) {
    for (const { position, bytes } of entries) {
      assert.equal(position, reader.position + 1, 'read left out a position, or gave one twice');
      reader.position = position;
      reader.texts.push(textOf(bytes));
    }
  }
}

/** What passes through a log, such as messages, leaves no state: it is trimmed while others still append and read. */
export const passing = [
  contractTest('entries that are trimmed behind their readers came to each of them once, in one order', async (stage) => {
    const [first, second, third, fourth] = (await stage.logs(4)) as [HubLog, HubLog, HubLog, HubLog];
    const readers: [Reader, Reader] = [{ texts: [], position: 0 }, { texts: [], position: 0 }];
    const isPassed = (): number => Math.min(readers[0].position, readers[1].position);
    const read = (log: HubLog, reader: Reader): Promise<void> => stage.until(() => reader.position >= 4 * WRITES, 'all was read', () => readOn(log, reader));
    await Promise.all([write(first, 'a', isPassed), write(second, 'b', isPassed), read(third, readers[0]), read(fourth, readers[1])]);
    assert.deepEqual(readers[0].texts, readers[1].texts);
    assert.equal(new Set(readers[0].texts).size, 4 * WRITES);
    for (const [index, text] of readers[0].texts.entries()) {
      if (!text.endsWith('+')) assert.equal(readers[0].texts[index + 1], `${text}+`, 'entries of one append are next to each other');
    }
    await first.putSnapshot({ position: 4 * WRITES, bytes: bytesOf('-') });
    await first.trim(4 * WRITES);
    const { first: oldest, position } = await second.head();
    assert.deepEqual({ oldest, position }, { oldest: 4 * WRITES + 1, position: 4 * WRITES });
  }),
];
