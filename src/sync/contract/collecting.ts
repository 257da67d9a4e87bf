import assert from 'node:assert/strict';
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
  const { epoch, position } = await log.head();
  return await log.collectBlobs({ epoch, position, unusedFor, isNamed: (name) => named.includes(name) });
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
    assert.equal(await other.collectBlobs({ epoch, position, unusedFor: 0, isNamed: () => false }), 1);
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
    await log.append([entry('1')]);
    const names = await put(log, 'unnamed');
    const { epoch, position } = await log.head();
    assert.equal(await log.collectBlobs({ epoch: crypto.randomUUID(), position, unusedFor: 0, isNamed: () => false }), 0);
    assert.equal(await log.collectBlobs({ epoch, position: position + 1, unusedFor: 0, isNamed: () => false }), 0);
    assert.deepEqual(await there(log, names), [true]);
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
        for (let taken = false; !taken; ) taken = await appendNaming(writer, text);
        named.push(name);
      }
    };
    const collecting = async (): Promise<void> => {
      // It knows no entry but those up to here: all later ones are not its to judge.
      const { epoch, position } = await collector.head();
      while (!isDone) await collector.collectBlobs({ epoch, position, unusedFor: 0, isNamed: () => false });
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

/** Puts a blob and appends an entry that names it; false when it was collected in between. */
async function appendNaming(log: HubLog, text: string): Promise<boolean> {
  const [name = ''] = await put(log, text);
  try {
    await log.append([entry(text)], [name]);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'hub-blob-missing') return false;
    throw error;
  }
}
