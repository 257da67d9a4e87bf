import assert from 'node:assert/strict';
import { randomUuid } from '../../runtime/random.ts';
import { delay } from '../../runtime/timers.ts';
import type { HubLog } from '../hub.ts';
import { blobName } from './blobs.ts';
import { contractTest } from './contract.ts';
import { assertBytes, assertRejects, bytesOf, entry, newName, readTexts } from './stage.ts';

/** Longer than any test: what was put in it has been used just now. */
const DAY_MS = 86_400_000;

async function put(log: HubLog, ...texts: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const text of texts) {
    const bytes = bytesOf(text);
    const name = blobName(bytes);
    await log.putBlob(name, bytes);
    names.push(name);
  }
  return names;
}

/** Collects as whoever knows the log as it is now, and of its blobs that these are named. */
async function collect(log: HubLog, named: readonly string[] = [], unusedFor = 0): Promise<number> {
  const { epoch, first, position } = await log.head();
  return await log.collectBlobs({ epoch, first, position, unusedFor, isNamed: (name) => named.includes(name) });
}

async function there(log: HubLog, names: readonly string[]): Promise<boolean[]> {
  const found = await log.hasBlobs(names);
  return names.map((name) => found.has(name));
}

export const collecting = [
  contractTest('a collection removes the blobs that nothing names, and leaves the others as they are', async (stage) => {
    const [log, other] = await stage.pair();
    const names = await put(log, 'kept', 'unnamed', 'kept too', 'unnamed too');
    const [kept = '', , keptToo = ''] = names;
    assert.equal(await collect(other, [kept, keptToo]), 2);
    assert.deepEqual(await there(log, names), [true, false, true, false]);
    assertBytes(await log.getBlob(kept), bytesOf('kept'), 'the blob that is named');
    assert.equal(await log.getBlob(names[1] ?? ''), null);
    assert.equal(await collect(log, [kept, keptToo]), 0);
  }),

  contractTest('a collection takes nothing that was used a short time ago', async (stage) => {
    const log = await stage.log();
    const names = await put(log, 'put just now', 'put just now too');
    assert.equal(await collect(log, [], DAY_MS), 0);
    assert.deepEqual(await there(log, names), [true, true]);
  }),

  contractTest('a blob that was collected can be put again', async (stage) => {
    const [log, other] = await stage.pair();
    const [name = ''] = await put(log, 'here again');
    await collect(log);
    assert.deepEqual(await there(other, [name]), [false]);
    await put(other, 'here again');
    assertBytes(await log.getBlob(name), bytesOf('here again'), 'the blob');
    await log.append([entry('names it')], [name]);
    assert.equal(await collect(other), 1);
  }),

  contractTest('a blob that an entry names goes only when whoever collects knows the entry', async (stage) => {
    const [log, other] = await stage.pair();
    await log.append([entry('before')]);
    const { epoch, position } = await log.head();
    const names = await put(log, 'named', 'named by nothing', 'named too');
    await log.append([entry('1'), entry('2')], [names[0] ?? '', names[2] ?? '']);
    assert.equal(await other.collectBlobs({ epoch, first: 1, position, unusedFor: 0, isNamed: () => false }), 1);
    assert.deepEqual(await there(log, names), [true, false, true]);
    assert.equal(await collect(other), 2);
  }),

  contractTest('entries that name a blob which is not there are not appended', async (stage) => {
    const [log, other] = await stage.pair();
    const [name = '', gone = ''] = await put(log, 'there', 'gone');
    await collect(log, [name]);
    const entries = [entry('1'), entry('2')];
    await assertRejects(other.append(entries, [name, gone]), 'hub-blob-missing', 'an append that names what was collected');
    await assertRejects(log.append([entry('3')], [blobName(bytesOf('never put'))]), 'hub-blob-missing', 'an append that names what was never put');
    assert.equal((await log.head()).position, 0);
    await put(other, 'gone');
    assert.equal(await other.append(entries, [name, gone, name]), 2);
    assert.deepEqual(await readTexts(log), ['1', '2']);
  }),

  contractTest('a collector that knows another log, or more than there is, removes nothing', async (stage) => {
    const log = await stage.log();
    for (const text of ['1', '2', '3']) await log.append([entry(text)]);
    await log.putSnapshot({ position: 2, bytes: bytesOf('two') });
    await log.trim(1);
    const names = await put(log, 'unnamed');
    const { epoch, first, position } = await log.head();
    const known = { epoch, first, position: 2, unusedFor: 0, isNamed: () => false };
    assert.equal(await log.collectBlobs({ ...known, epoch: randomUuid() }), 0, 'another epoch');
    assert.equal(await log.collectBlobs({ ...known, first: 1, position: position + 1 }), 0, 'a position beyond the head');
    assert.equal(await log.collectBlobs({ ...known, first: 3 }), 0, 'entries that are there still');
    assert.equal(await log.collectBlobs({ ...known, position: 3 }), 0, 'a snapshot that is not there');
    assert.deepEqual(await there(log, names), [true]);
    assert.equal(await log.collectBlobs(known), 1);
  }),

  contractTest('the blobs of other logs stay, also under the same name', async (stage) => {
    const [log, other] = [await stage.log(), await stage.log(newName())];
    const [name = ''] = await put(log, 'of both');
    await put(other, 'of both');
    assert.equal(await collect(log), 1);
    assert.deepEqual([await there(log, [name]), await there(other, [name])], [[false], [true]]);
  }),

  contractTest('a collection of hundreds of blobs finds them all', async (stage) => {
    const log = await stage.log();
    const texts = Array.from({ length: 300 }, (_, index) => `one of many ${index}`);
    const names = await put(log, ...texts);
    const kept = names.filter((_, index) => index % 3 === 0);
    assert.equal(await collect(log, kept), 200);
    assert.deepEqual([...(await log.hasBlobs(names))].sort(), kept.sort());
  }),

  contractTest('while others collect, no entry loses a blob that its append has named', async (stage) => {
    const [log, other, collector] = (await stage.logs(3)) as [HubLog, HubLog, HubLog];
    await log.head();
    const named: string[] = [];
    let isDone = false;
    const append = async (writer: HubLog, label: string): Promise<void> => {
      for (let number = 0; number < 15; number++) {
        const text = `${label} ${number}`;
        const name = blobName(bytesOf(text));
        await appendNaming(writer, text);
        named.push(name);
      }
    };
    const collecting = async (): Promise<void> => {
      // It knows no entry but those up to here: all later ones are not its to judge.
      const { epoch, position } = await collector.head();
      const collectAll = (): Promise<number> => collector.collectBlobs({ epoch, first: 1, position, unusedFor: 0, isNamed: () => false });
      for (; !isDone; await delay(1)) await collectAll();
      await collectAll();
    };
    const run = collecting();
    try {
      await Promise.all([append(log, 'a'), append(other, 'b')]);
    } finally {
      isDone = true;
      await run;
    }
    assert.equal((await log.hasBlobs(named)).size, 30);
    assert.equal((await readTexts(log)).length, 30);
  }),
];

/** As often as it is collected in between, it is put again. */
const ATTEMPTS = 1000;

/** Puts a blob and appends an entry that names it. */
async function appendNaming(log: HubLog, text: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const [name = ''] = await put(log, text);
    try {
      await log.append([entry(text)], [name]);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || (error as { code?: unknown }).code !== 'hub-blob-missing') throw error;
    }
  }
}
