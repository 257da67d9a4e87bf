import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/sync/replicator/digest.ts';
import { NO_WITNESS, readOn } from '../../src/sync/replicator/follower.ts';
import { Line } from '../../src/sync/replicator/line.ts';
import { systemSurroundings } from '../../src/sync/replicator/surroundings.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';

const line = new Line(systemSurroundings);
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

/** A log of these entries, of which those up to a position were trimmed. */
async function trimmedLog(texts: readonly string[], trimmed: number): Promise<{ log: ReturnType<ReturnType<typeof memoryHub>['log']>; engine: MemoryEngine }> {
  const engine = new MemoryEngine();
  const log = memoryHub(engine).log('a');
  await log.append(texts.map((text, index) => ({ id: `id-${index}`, bytes: bytesOf(text) })));
  await log.putSnapshot({ position: trimmed, bytes: bytesOf('snapshot') });
  await log.trim(trimmed);
  return { log, engine };
}

const place = { epoch: 'epoch-1', position: 2, digest: sha256(bytesOf('two')) };

describe('reading on from a place whose entry was trimmed', () => {
  test('gives what follows where a witness has its history, asked after the entries came', async () => {
    const { log } = await trimmedLog(['one', 'two', 'three'], 2);
    const order: string[] = [];
    const watched = { ...log, read: async (after: number, limit: number) => (order.push(`read ${after}`), log.read(after, limit)) };
    const reading = await readOn(watched as typeof log, line, place, 3, async () => order.push('asked') > 0);
    expect(reading).toMatchObject({ verdict: 'same', entries: [{ position: 3 }] });
    expect(order).toEqual(['read 1', 'read 2', 'asked']);
  });

  test.each([
    ['nobody has', NO_WITNESS],
    ['the witness has another one', async () => false],
  ])('gives nothing where %s', async (_, witness) => {
    const { log } = await trimmedLog(['one', 'two', 'three'], 2);
    expect(await readOn(log, line, place, 3, witness)).toEqual({ verdict: 'trimmed' });
  });

  test('asks nobody where the entry is there', async () => {
    const { log } = await trimmedLog(['one', 'two', 'three'], 1);
    const reading = await readOn(log, line, place, 3, () => Promise.reject(new Error('asked')));
    expect(reading).toMatchObject({ verdict: 'same', entries: [{ position: 3 }] });
  });
});
