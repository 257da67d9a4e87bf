import assert from 'node:assert/strict';
import type { HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { assertBytes, assertRejects, bytesOf, entry, noise, readTexts, textOf } from './stage.ts';

/** Appends `1`, `2`, …, each by a call of its own, so that engines that keep batches in one piece can trim anywhere. */
async function appendNumbers(log: HubLog, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) await log.append([entry(String(number))]);
}

async function bounds(log: HubLog): Promise<{ first: number; position: number }> {
  const { first, position } = await log.head();
  return { first, position };
}

export const trimming = [
  contractTest('there is no snapshot before one was put; then every client gets it', async (stage) => {
    const [log, other] = await stage.pair();
    assert.equal(await log.snapshot(), null);
    await appendNumbers(log, 3);
    await log.putSnapshot({ position: 2, bytes: bytesOf('two') });
    const kept = await other.snapshot();
    assert.equal(kept?.position, 2);
    assertBytes(kept.bytes, bytesOf('two'), 'the snapshot');
  }),

  contractTest('a snapshot gives way to one with a higher position only', async (stage) => {
    const [log, other] = await stage.pair();
    await appendNumbers(log, 5);
    for (const position of [2, 4, 3, 1]) await other.putSnapshot({ position, bytes: bytesOf(`at ${position}`) });
    const kept = await log.snapshot();
    assert.equal(kept?.position, 4);
    assert.equal(textOf(kept.bytes), 'at 4');
  }),

  contractTest('of snapshots that are put at once the highest is kept', async (stage) => {
    const logs = await stage.logs(4);
    const log = logs[0] as HubLog;
    await appendNumbers(log, 12);
    await Promise.all([7, 12, 3, 11, 5, 9, 1, 10].map((position, index) => (logs[index % 4] as HubLog).putSnapshot({ position, bytes: bytesOf(`at ${position}`) })));
    const kept = await log.snapshot();
    assert.equal(kept?.position, 12);
    assert.equal(textOf(kept.bytes), 'at 12');
  }),

  contractTest('a snapshot beyond the head is refused, and stands in the way of none', async (stage) => {
    const [log, other] = await stage.pair();
    await appendNumbers(log, 2);
    await assertRejects(log.putSnapshot({ position: 3, bytes: bytesOf('three') }), 'hub-damaged', 'a snapshot beyond the head');
    await assertRejects(log.putSnapshot({ position: Number.MAX_SAFE_INTEGER, bytes: bytesOf('far') }), 'hub-damaged', 'a snapshot far beyond the head');
    assert.equal(await other.snapshot(), null);
    await log.trim(Number.MAX_SAFE_INTEGER);
    assert.deepEqual(await bounds(other), { first: 1, position: 2 });
    await other.putSnapshot({ position: 2, bytes: bytesOf('two') });
    assert.equal((await log.snapshot())?.position, 2);
  }),

  contractTest('a snapshot may be empty, or have megabytes', async (stage) => {
    const log = await stage.log();
    await appendNumbers(log, 2);
    await log.putSnapshot({ position: 1, bytes: new Uint8Array(0) });
    assertBytes((await log.snapshot())?.bytes, new Uint8Array(0), 'the empty snapshot');
    const large = noise(5 * 2 ** 20 + 1);
    await log.putSnapshot({ position: 2, bytes: large });
    assertBytes((await log.snapshot())?.bytes, large, 'the large snapshot');
  }),

  contractTest('trim forgets the entries up to a position; the others keep theirs', async (stage) => {
    const [log, other] = await stage.pair();
    await appendNumbers(log, 6);
    await log.putSnapshot({ position: 5, bytes: bytesOf('five') });
    await log.trim(3);
    assert.deepEqual(await bounds(other), { first: 4, position: 6 });
    assert.deepEqual(await readTexts(other, 3), ['4', '5', '6']);
    await other.append([entry('7')]);
    assert.deepEqual(await readTexts(log, 3), ['4', '5', '6', '7']);
  }),

  contractTest('read rejects where the next entry was trimmed', async (stage) => {
    const log = await stage.log();
    await appendNumbers(log, 4);
    await log.putSnapshot({ position: 3, bytes: bytesOf('three') });
    await log.trim(2);
    for (const after of [0, 1]) await assertRejects(log.read(after, 10), 'hub-trimmed', `read after ${after}, where 1 and 2 are trimmed`);
    assert.deepEqual(await readTexts(log, 2), ['3', '4']);
  }),

  contractTest('trim never goes beyond the snapshot, and does nothing without one', async (stage) => {
    const log = await stage.log();
    await log.append(['1', '2', '3', '4'].map(entry));
    await log.trim(3);
    assert.deepEqual(await bounds(log), { first: 1, position: 4 });
    await log.putSnapshot({ position: 2, bytes: bytesOf('two') });
    await log.trim(4);
    assert.ok((await log.head()).first <= 3);
    assert.deepEqual(await readTexts(log, 2), ['3', '4']);
  }),

  contractTest('a lower trim after a higher one brings nothing back', async (stage) => {
    const log = await stage.log();
    await appendNumbers(log, 5);
    await log.putSnapshot({ position: 5, bytes: bytesOf('five') });
    await log.trim(4);
    await log.trim(2);
    await log.trim(0);
    assert.deepEqual(await bounds(log), { first: 5, position: 5 });
  }),

  contractTest('a log that was trimmed to its head goes on from there', async (stage) => {
    const [log, other] = await stage.pair();
    await appendNumbers(log, 3);
    await log.putSnapshot({ position: 3, bytes: bytesOf('three') });
    await log.trim(3);
    assert.deepEqual(await bounds(other), { first: 4, position: 3 });
    assert.deepEqual(await other.read(3, 10), []);
    await assertRejects(other.read(2, 10), 'hub-trimmed', 'read before the head of a log without entries');
    await other.append([entry('4')]);
    assert.deepEqual(await bounds(log), { first: 4, position: 4 });
    assert.deepEqual(await readTexts(log, 3), ['4']);
  }),
];
