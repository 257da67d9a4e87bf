import assert from 'node:assert/strict';
import type { HubCapabilities, HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { notRun } from './not-run.ts';
import { entry, newName, readTexts, type Stage } from './stage.ts';

/** Two clients' view of one log, of an engine that remembers ids at least this well. */
async function remembering(stage: Stage, least: 'for-a-time' | 'always'): Promise<[HubLog, HubLog]> {
  const name = newName();
  const [one, other] = await Promise.all([stage.client(), stage.client()]);
  requireMemory(one.capabilities, least);
  return [one.hub.log(name), other.hub.log(name)];
}

function requireMemory({ dedupe }: HubCapabilities, least: 'for-a-time' | 'always'): void {
  if (dedupe === 'never' || (least === 'always' && dedupe === 'for-a-time')) notRun(`this engine remembers ids ${dedupe}`);
}

export const deduplication = [
  contractTest('what is appended a second time under the same ids is there once', async (stage) => {
    const [log, other] = await remembering(stage, 'for-a-time');
    const entries = [entry('a'), entry('b')];
    await log.append(entries);
    await log.append(entries);
    assert.ok((await other.append(entries)) >= 2);
    await log.append([entry('c')]);
    assert.deepEqual(await readTexts(log), ['a', 'b', 'c']);
  }),

  contractTest('of attempts that overlap to append the same entry one succeeds', async (stage) => {
    const [log, other] = await remembering(stage, 'for-a-time');
    const entries = [entry('a')];
    await Promise.all(Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? log : other).append(entries)));
    assert.deepEqual(await readTexts(log), ['a']);
  }),

  contractTest('of a batch that is there in part only the rest is appended', async (stage) => {
    const [log] = await remembering(stage, 'always');
    const [a, b, c] = [entry('a'), entry('b'), entry('c')];
    await log.append([a, b]);
    await log.append([b, c]);
    assert.deepEqual(await readTexts(log), ['a', 'b', 'c']);
  }),

  contractTest('an id is remembered after a thousand others', async (stage) => {
    const [log, other] = await remembering(stage, 'always');
    const first = entry('first');
    await log.append([first]);
    for (let batch = 0; batch < 10; batch++) await other.append(Array.from({ length: 100 }, (_, index) => entry(`${batch} ${index}`)));
    await other.append([first]);
    assert.equal((await log.head()).position, 1001);
  }),

  contractTest('entries with the same bytes under different ids are both there', async (stage) => {
    const log = await stage.log();
    await log.append([entry('same'), entry('same')]);
    await log.append([entry('same')]);
    assert.deepEqual(await readTexts(log), ['same', 'same', 'same']);
  }),

  contractTest('ids that differ in case are two, and an id of one log says nothing in another', async (stage) => {
    const { hub } = await stage.client();
    const log = hub.log(newName());
    const other = hub.log(newName());
    const { bytes } = entry('x');
    await log.append([{ id: 'A-b.1', bytes }, { id: 'a-B.1', bytes }, { id: 'x'.repeat(64), bytes }]);
    await other.append([{ id: 'A-b.1', bytes }]);
    assert.equal((await log.head()).position, 3);
    assert.equal((await other.head()).position, 1);
  }),
];
