// META: title=Web Locks between contexts
// META: script=/ours/resources/workers.js
// META: variant=
// META: variant=?processes
// META: timeout=long
'use strict';

let names = 0;
const uniqueName = () => `lock ${++names} of ${location.pathname}${location.search}`;
const never = new Promise(() => undefined);

promise_test(async (t) => {
  const [name, worker] = [uniqueName(), openWorker(t)];
  assert_equals(await worker.tell('request', name, {}), 'held');
  const order = [];
  const waiting = navigator.locks.request(name, () => order.push('granted'));
  assert_equals(await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock), null);
  order.push('released');
  await worker.tell('release', name);
  await waiting;
  assert_array_equals(order, ['released', 'granted']);
}, 'an exclusive lock keeps others out until it is released');

promise_test(async (t) => {
  const [name, worker, other] = [uniqueName(), openWorker(t), openWorker(t)];
  assert_equals(await worker.tell('request', name, { mode: 'shared' }), 'held');
  assert_equals(await other.tell('request', name, { mode: 'shared' }), 'held');
  assert_equals(await navigator.locks.request(name, { mode: 'shared' }, ({ mode }) => mode), 'shared');
  assert_equals(await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock), null);
}, 'shared locks of several contexts');

promise_test(async (t) => {
  const name = uniqueName();
  const workers = [openWorker(t), openWorker(t), openWorker(t)];
  let release;
  await new Promise((held) => navigator.locks.request(name, () => new Promise((resolve) => {
    release = resolve;
    held();
  })));
  const order = [];
  for (const [index, worker] of workers.entries()) {
    worker.tell('request', name, {}).then(() => order.push(index));
    const isPending = async () => (await navigator.locks.query()).pending.filter((request) => request.name === name).length === index + 1;
    while (!(await isPending())) await new Promise((resolve) => t.step_timeout(resolve, 5));
  }
  const { pending } = await navigator.locks.query();
  const clients = pending.filter((request) => request.name === name).map(({ clientId }) => clientId);
  assert_equals(new Set(clients).size, 3);
  release();
  for (const [index, worker] of workers.entries()) {
    await t.step_wait(() => order.length === index + 1, 'granted in turn', 30_000, 5);
    await worker.tell('release', name);
  }
  assert_array_equals(order, [0, 1, 2]);
}, 'requests are granted in the order in which they were made');

promise_test(async (t) => {
  const [name, worker] = [uniqueName(), openWorker(t)];
  await worker.tell('request', name, {});
  const waiting = navigator.locks.request(name, () => 'granted');
  worker.terminate();
  assert_equals(await waiting, 'granted');
}, 'a context that is terminated loses its lock');

promise_test(async (t) => {
  const [name, holder, waiter] = [uniqueName(), openWorker(t), openWorker(t)];
  await holder.tell('request', name, {});
  waiter.tell('request', name, {});
  while ((await navigator.locks.query()).pending.every((request) => request.name !== name)) await new Promise((resolve) => t.step_timeout(resolve, 5));
  const last = navigator.locks.request(name, () => 'granted');
  waiter.terminate();
  await holder.tell('release', name);
  assert_equals(await last, 'granted');
}, 'a context that is terminated loses its place in the queue');

promise_test(async (t) => {
  const [name, worker] = [uniqueName(), openWorker(t)];
  await worker.tell('request', name, {});
  const lost = worker.lost(name);
  assert_equals(await navigator.locks.request(name, { steal: true }, () => 'stolen'), 'stolen');
  assert_equals(await lost, 'AbortError');
}, 'a lock can be stolen from another context, which learns it');

promise_test(async (t) => {
  const [name, worker] = [uniqueName(), openWorker(t)];
  navigator.locks.request(name, () => never).catch(() => undefined);
  assert_equals(await worker.tell('request', name, { ifAvailable: true }), 'unavailable');
  const { held } = await worker.tell('query');
  const [own] = held.filter((lock) => lock.name === name);
  assert_equals(own.mode, 'exclusive');
  assert_equals(own.clientId, (await navigator.locks.query()).held.find((lock) => lock.name === name).clientId);
}, 'query() tells every context the same');

promise_test(async (t) => {
  const [name, workers] = [uniqueName(), [openWorker(t), openWorker(t)]];
  const others = ['\uD800', '\uFFFD', '', '\u0000'].map((text) => name + text);
  for (const [index, each] of others.entries()) assert_equals(await workers[index % 2].tell('request', each, { ifAvailable: true }), 'held');
  for (const each of others) assert_equals(await navigator.locks.request(each, { ifAvailable: true }, (lock) => lock), null);
}, 'names are exact');
