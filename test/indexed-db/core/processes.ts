import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { createFactory } from '../../../src/indexed-db/index.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { ended, opened, result } from '../support/promises.ts';
import { placeAt } from '../support/place.ts';
import { type Cases, runCases } from '../support/cases.ts';

// This file is its own peer: a process that is given a bucket counts in it, or holds a connection to it.

const INCREMENTS = 50;

async function increment(db: IDBDatabase): Promise<void> {
  for (let left = INCREMENTS; left > 0; left--) {
    const transaction = db.transaction('s', 'readwrite');
    const store = transaction.objectStore('s');
    store.get('count').onsuccess = (event) => {
      const { result: count = 0 } = event.target as unknown as { result?: number };
      store.put(count + 1, 'count');
    };
    assert.equal(await ended(transaction), 'complete');
  }
}

async function beOther(bucket: string, part: string): Promise<void> {
  const place = placeAt(bucket);
  const db = await opened(createFactory(place), 'shared');
  db.onversionchange = () => process.send?.('versionchange');
  const blob = part === 'hold' ? await result<Blob | undefined>(db.transaction('s').objectStore('s').get('blob')) : undefined;
  process.on('message', (wanted) => {
    if (wanted === 'close') db.close();
    else void blob?.text().then((text) => process.send?.(text));
  });
  // It holds the output open for which whoever runs this file waits.
  process.on('disconnect', () => process.exit());
  process.send?.('open');
  // An open connection keeps no process alive.
  if (part !== 'count') return void setInterval(() => undefined, 1000);
  await increment(db);
  process.exit(0);
}

function start(bucket: string, part: string): ChildProcess {
  return fork(process.argv[1] ?? '', { env: { ...process.env, PEER_BUCKET: bucket, PEER_PART: part }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

function message(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve) => child.on('message', (got) => got === wanted && resolve()));
}

function exit(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.on('exit', resolve));
}

const cases: Cases = {
  'increments of several processes are all counted, and a reader sees those before it': async ({ place, factory }) => {
    const db = await opened(factory, 'shared', (made) => made.createObjectStore('s'));
    const children = [start(place.path, 'count'), start(place.path, 'count')];
    const over = Promise.all(children.map(exit));
    await increment(db);
    assert.deepEqual(await over, [0, 0]);
    assert.equal(await result(db.transaction('s').objectStore('s').get('count')), 3 * INCREMENTS);
  },

  'an upgrade waits for connections of other processes': async ({ place, factory }) => {
    (await opened(factory, 'shared', (made) => made.createObjectStore('s'))).close();
    const child = start(place.path, 'hold');
    await message(child, 'open');
    const told = message(child, 'versionchange');
    const seen: string[] = [];
    const request = factory.open('shared', 2);
    for (const type of ['blocked', 'upgradeneeded', 'success']) request.addEventListener(type, () => seen.push(type));
    request.onblocked = () => child.send('close');
    await told;
    assert.equal((await result<IDBDatabase>(request)).version, 2);
    assert.deepEqual(seen, ['blocked', 'upgradeneeded', 'success']);
    child.kill();
  },

  'what another process has read of a Blob stays when the database is deleted': async ({ place, factory }) => {
    const db = await opened(factory, 'shared', (made) => made.createObjectStore('s'));
    const write = db.transaction('s', 'readwrite');
    write.objectStore('s').put(new Blob(['still there']), 'blob');
    assert.equal(await ended(write), 'complete');
    db.close();
    const child = start(place.path, 'hold');
    await message(child, 'open');
    const deletion = factory.deleteDatabase('shared');
    deletion.onblocked = () => child.send('close');
    await result(deletion);
    const told = message(child, 'still there');
    child.send('read');
    await told;
    child.kill();
  },

  'what a killed process had begun is undone, and nobody waits for it': async ({ place, factory }) => {
    (await opened(factory, 'shared', (made) => made.createObjectStore('s'))).close();
    const child = start(place.path, 'stay');
    await message(child, 'open');
    const over = exit(child);
    child.kill('SIGKILL');
    await over;
    const db = await opened(factory, 'shared', undefined, 2);
    assert.equal(await result(db.transaction('s').objectStore('s').count()), 0);
  },
};

const { PEER_BUCKET, PEER_PART } = process.env;
if (PEER_BUCKET !== undefined) await beOther(PEER_BUCKET, PEER_PART ?? '');
else await runCases(cases);
