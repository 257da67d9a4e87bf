// Coordinators, in one process and over several. docs/COORDINATORS.md
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { testCoordinators, Coordinator, Coordinators } from 'holdfast/coordinator';
import { completed, count, open, settled } from '../kit/indexed-db.mjs';
import { newRoot, origin, withHost } from '../kit/place.mjs';
import { start } from '../kit/program.mjs';
import { test } from '../kit/test.mjs';

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Counter extends Coordinator {
  increment() {
    const next = this.read() + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  read() {
    return Number(this.localStorage.getItem('n') ?? 0);
  }

  /** Reads, awaits something, and writes one more than it has read. */
  async update(how) {
    const directory = how === 'file' ? await this.storage.getDirectory() : null;
    const before = this.read();
    if (how === 'microtasks') for (let n = 0; n < 5; n++) await null;
    if (how === 'file') await directory.getFileHandle('f', { create: true });
    if (how === 'section') await this.state.blockConcurrencyWhile(() => later(1));
    if (how === 'timer') await later(1);
    this.localStorage.setItem('n', String(before + 1));
  }

  fail() {
    throw new RangeError('mine');
  }

  async fetch(request) {
    return Response.json({ text: await request.text(), n: this.increment() }, { status: 201 });
  }

  wake(at) {
    this.state.setAlarm(at);
  }

  alarm() {
    this.increment();
  }
}

class Serial extends Counter {
  static concurrency = 'serial';
}

/** With what it keeps beside localStorage. */
class Store extends Coordinator {
  #db = null;

  /** Opened once, whoever asks first. */
  database() {
    return (this.#db ??= open(this.state.storage.indexedDB, 'counts', 1, (db) => db.createObjectStore('counters')));
  }

  async count(how) {
    const db = await this.database();
    if (how === 'transaction') return count(db, 1);
    await this.state.blockConcurrencyWhile(async () => {
      const n = await this.counted();
      const transaction = db.transaction('counters', 'readwrite');
      transaction.objectStore('counters').put(n + 1, 'all');
      await completed(transaction);
    });
  }

  async counted() {
    const db = await this.database();
    return (await settled(db.transaction('counters').objectStore('counters').get('all'))) ?? 0;
  }

  async note(text) {
    const file = await (await this.storage.getDirectory()).getFileHandle('note', { create: true });
    if (text !== null) {
      const writable = await file.createWritable();
      await writable.write(text);
      await writable.close();
    }
    return (await file.getFile()).text();
  }

  /** Names of its locks while it has one, and afterwards. */
  async lock() {
    const names = async () => (await this.locks.query()).held.map(({ name }) => name);
    return [await this.locks.request('own', names), await names()];
  }
}

async function withCoordinators(body) {
  const coordinators = testCoordinators({ Counter, Serial, Store }, { root: newRoot() });
  try {
    return await body(coordinators);
  } finally {
    await coordinators.close();
  }
}

test('a call gives a copy, or throws what was thrown, and a request is answered', () =>
  withCoordinators(async ({ get }) => {
    const counter = get(Counter, 'a');
    assert.deepEqual([await counter.increment(), await counter.increment(), await counter.read()], [1, 2, 2]);
    await assert.rejects(counter.fail(), (error) => error instanceof RangeError && error.message === 'mine' && error.remote === true);
    const response = await counter.fetch('https://x.example/', { method: 'POST', body: 'text' });
    assert.deepEqual([response.status, await response.json()], [201, { text: 'text', n: 3 }]);
  }));

// 200 requests that read, wait and write: without the gate all but one are lost.
for (const [Class, how] of [[Counter, 'microtasks'], [Counter, 'file'], [Counter, 'section'], [Serial, 'timer']]) {
  test(`none of 200 updates is lost over ${how}, ${Class === Serial ? 'serial' : 'gated'}`, () =>
    withCoordinators(async ({ get }) => {
      const counter = get(Class, 'a');
      await Promise.all(Array.from({ length: 200 }, () => counter.update(how)));
      assert.equal(await counter.read(), 200);
    }));
}

test('199 of 200 updates are lost where nothing holds them', async () => {
  let n = 0;
  const update = async () => {
    const before = n;
    await later(1);
    n = before + 1;
  };
  await Promise.all(Array.from({ length: 200 }, update));
  assert.equal(n, 1);
});

test('a coordinator has files, locks and a database of its own, whose updates are not lost in a section or a transaction', () =>
  withCoordinators(async ({ get, evict, host }) => {
    const [store, other] = [get(Store, 'a'), get(Store, 'b')];
    await Promise.all(Array.from({ length: 20 }, () => store.count('section')));
    await other.count('section');
    assert.deepEqual([await store.counted(), await other.counted()], [20, 1]);
    assert.equal(await store.note('text'), 'text');
    assert.deepEqual(await store.lock(), [['own'], []]);
    // What it reads and writes in one transaction needs no section.
    await Promise.all(Array.from({ length: 20 }, () => store.count('transaction')));
    await evict(store);
    assert.deepEqual([await store.counted(), await store.note(null)], [40, 'text']);
    assert.deepEqual(await host.origin('https://test.example').indexedDB.databases(), []);
  }));

test('an instance that was evicted, crashed or deposed goes on from the disk', () =>
  withCoordinators(async ({ get, evict, crash, depose }) => {
    const counter = get(Counter, 'a');
    await counter.increment();
    await evict(counter);
    assert.equal(await counter.increment(), 2);
    crash(counter);
    assert.equal(await counter.increment(), 3);
    depose(counter);
    assert.equal(await counter.increment(), 4);
  }));

test('an alarm is called at its time', () =>
  withCoordinators(async ({ get, runAlarm }) => {
    const counter = get(Counter, 'a');
    await counter.wake(Date.now() + 60_000);
    assert.equal(await runAlarm(counter), true);
    assert.deepEqual([await counter.read(), await runAlarm(counter)], [1, false]);
  }));

test('a transaction stores all or nothing', () =>
  withHost(async (_host, app) => {
    assert.throws(() => app.transaction((map) => {
      map.setItem('a', '1');
      throw new RangeError('mine');
    }), RangeError);
    assert.equal(app.transaction((map) => {
      map.setItem('a', '1');
      map.setItem('b', '2');
      return map.length;
    }), 2);
    assert.deepEqual(Object.entries(app.localStorage), [['a', '1'], ['b', '2']]);
  }));

test('several processes have one instance, and none of its updates is lost', async () => {
  const root = newRoot();
  const programs = [start('coordinator', { args: [root] }), start('coordinator', { args: [root] })];
  for (const program of programs) assert.equal(await program.line(), 'ready');
  for (const program of programs) program.send('50');
  const answers = (await Promise.all(programs.map((program) => program.line()))).map((line) => JSON.parse(line));
  assert.deepEqual(answers.flatMap(([results]) => results).sort((a, b) => a - b), Array.from({ length: 100 }, (_, n) => n + 1));
  assert.equal(answers[0][1], answers[1][1]);
  const { StorageHost } = await import('holdfast');
  const host = new StorageHost({ root });
  const caller = new Coordinators(host, {});
  assert.equal(await caller.get(origin, 'Counter', 'shared').increment(), 101);
  await caller.close();
  await host.close();
  for (const program of programs) await program.kill();
});

test('of an encrypted origin one goes on in another process when its own is killed, and no file has its name or that of its class', async () => {
  const root = newRoot();
  const key = '0123456789abcdef'.repeat(4);
  const programs = [start('coordinator', { args: [root, key] }), start('coordinator', { args: [root, key] })];
  for (const program of programs) assert.equal(await program.line(), 'ready');
  programs[0].send('10');
  const [counts] = JSON.parse(await programs[0].line());
  assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await programs[0].kill();
  programs[1].send('5');
  const [others] = JSON.parse(await programs[1].line());
  assert.deepEqual(others, [11, 12, 13, 14, 15]);
  await programs[1].kill();
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /Counter|%uCounter|shared/i.test(name));
  assert.deepEqual(names, []);
});
