import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { ended, opened, result } from '../support/promises.ts';
import { type Bench, runCases } from '../support/cases.ts';

function database({ factory }: Bench): Promise<IDBDatabase> {
  return opened(factory, 'events', (made) => made.createObjectStore('s').put(1, 1));
}

await runCases({
  'an event tells where it is, on its way down and up': async (bench) => {
    const db = await database(bench);
    const transaction = db.transaction('s', 'readwrite');
    const request = transaction.objectStore('s').add(2, 1);
    const seen: unknown[] = [];
    const note = (event: Event): void => {
      seen.push([event.currentTarget, event.eventPhase, event.target === request, event.composedPath().length]);
      event.preventDefault();
    };
    for (const target of [db, transaction, request]) {
      target.addEventListener('error', note, true);
      target.addEventListener('error', note);
    }
    let after: Event | undefined;
    db.onerror = (event) => (after = event);
    assert.equal(await ended(transaction), 'complete');
    assert.deepEqual(seen, [
      [db, 1, true, 3],
      [transaction, 1, true, 3],
      [request, 2, true, 3],
      [request, 2, true, 3],
      [transaction, 3, true, 3],
      [db, 3, true, 3],
    ]);
    assert.deepEqual([after?.currentTarget, after?.eventPhase, after?.target === request, after?.composedPath().length], [null, 0, true, 0]);
    assert.equal(Object.prototype.toString.call(after), '[object Event]');
    assert.equal(after?.constructor, Event);
  },

  'a stopped event goes no further': async (bench) => {
    const db = await database(bench);
    const seen: string[] = [];
    const fail = async (stop: (event: Event) => void): Promise<string> => {
      const transaction = db.transaction('s', 'readwrite');
      const request = transaction.objectStore('s').add(2, 1);
      request.addEventListener('error', (event: Event) => {
        event.preventDefault();
        stop(event);
      });
      request.addEventListener('error', () => seen.push('second'));
      transaction.addEventListener('error', () => seen.push('parent'));
      return ended(transaction);
    };
    await fail((event) => event.stopPropagation());
    assert.deepEqual(seen.splice(0), ['second']);
    await fail((event) => event.stopImmediatePropagation());
    assert.deepEqual(seen.splice(0), []);
    await fail((event) => (event.cancelBubble = true));
    assert.deepEqual(seen.splice(0), ['second']);
  },

  'a handler that gives false has dealt with an error': async (bench) => {
    const db = await database(bench);
    const transaction = db.transaction('s', 'readwrite');
    transaction.objectStore('s').add(2, 1).onerror = () => false;
    assert.equal(await ended(transaction), 'complete');
  },

  'listeners are called once, not after their signal, and in the order in which they came': async (bench) => {
    const db = await database(bench);
    const seen: string[] = [];
    const controller = new AbortController();
    db.addEventListener('ping', () => seen.push('first'), { once: true });
    db.onversionchange = () => seen.push('old handler');
    db.addEventListener('versionchange', () => seen.push('behind the handler'));
    db.onversionchange = () => seen.push('handler');
    db.addEventListener('ping', { handleEvent: () => seen.push('object') }, { signal: controller.signal });
    const ping = new Event('ping');
    db.dispatchEvent(ping);
    db.dispatchEvent(ping);
    controller.abort();
    db.dispatchEvent(ping);
    db.dispatchEvent(new Event('versionchange'));
    assert.deepEqual(seen, ['first', 'object', 'object', 'handler', 'behind the handler']);
    assert.throws(() => db.addEventListener('ping', 1), TypeError);
  },

  "a program's own event takes the same way, and only once at a time": async (bench) => {
    const db = await database(bench);
    const transaction = db.transaction('s');
    const request = transaction.objectStore('s').get(1);
    const seen: unknown[] = [];
    const event = new Event('own', { bubbles: true, cancelable: true });
    db.addEventListener('own', (got: Event) => {
      seen.push(got.target === request, got.currentTarget === db);
      got.preventDefault();
      assert.throws(() => db.dispatchEvent(got), { name: 'InvalidStateError' });
    });
    assert.equal(request.dispatchEvent(event), false);
    assert.deepEqual(seen, [true, true]);
    assert.throws(() => request.dispatchEvent({}), TypeError);
  },

  'a listener runs in the context in which it was added': async (bench) => {
    const db = await database(bench);
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const transaction = context.run('transaction', () => db.transaction('s'));
    const request = context.run('request', () => transaction.objectStore('s').get(1));
    context.run('one', () => request.addEventListener('success', () => seen.push(context.getStore())));
    context.run('two', () => (request.onsuccess = () => seen.push(context.getStore())));
    await context.run('three', () => ended(transaction).then(() => seen.push(context.getStore())));
    assert.deepEqual(seen, ['one', 'two', 'three']);
  },

  'microtasks of one listener run before the next': async (bench) => {
    const db = await database(bench);
    const request = db.transaction('s').objectStore('s').get(1);
    const seen: string[] = [];
    request.addEventListener('success', () => void Promise.resolve().then(() => seen.push('microtask')));
    request.addEventListener('success', () => seen.push('second'));
    await result(request);
    assert.deepEqual(seen, ['microtask', 'second']);
  },
});
