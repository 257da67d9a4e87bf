// META: title=Files between contexts: locks, contents, changes
// META: script=/ours/resources/directory.js
// META: script=/ours/resources/workers.js
// META: variant=
// META: variant=?processes
// META: timeout=long
'use strict';

for (const mode of ['readwrite', 'read-only', 'readwrite-unsafe']) {
  inDirectory(async (t, dir) => {
    const [file, worker] = [await writeFile(dir, 'file', 'old'), openWorker(t)];
    await worker.tell('openAccess', [dir.name, 'file'], { mode });
    for (const change of [() => file.createWritable(), () => file.remove(), () => file.move('moved'), () => dir.remove({ recursive: true })]) {
      await promise_rejects_dom(t, 'NoModificationAllowedError', change());
    }
    assert_equals(await readText(file), 'old');
    await worker.tell('closeAccess');
    await (await file.createWritable()).close();
  }, `a ${mode} access handle of a worker keeps writers out`);
}

inDirectory(async (t, dir) => {
  const [file, worker] = [await writeFile(dir, 'file', 'old'), openWorker(t)];
  await worker.tell('openWritable', [dir.name, 'file'], { mode: 'exclusive' });
  await promise_rejects_dom(t, 'NoModificationAllowedError', file.createWritable());
  await worker.tell('writeWritable', 'new');
  assert_equals(await readText(file), 'old');
  await worker.tell('closeWritable');
  assert_equals(await readText(file), 'new');
}, 'a writable of a worker takes effect when it is closed');

inDirectory(async (t, dir) => {
  const [file, worker] = [await writeFile(dir, 'file', 'old'), openWorker(t)];
  const writable = await file.createWritable();
  assert_equals(await nameOfRejection(worker.tell('openAccess', [dir.name, 'file'])), 'NoModificationAllowedError');
  assert_equals(await nameOfRejection(worker.tell('change', [dir.name, 'file'], 'remove')), 'NoModificationAllowedError');
  await writable.close();
  await worker.tell('openAccess', [dir.name, 'file']);
}, 'a worker is kept out by a writable here');

inDirectory(async (t, dir) => {
  const [file, worker] = [await writeFile(dir, 'file', 'old'), openWorker(t)];
  await worker.tell('openAccess', [dir.name, 'file']);
  await worker.tell('writeAccess', 'new!', 0);
  worker.terminate();
  let writable;
  await t.step_wait(async () => (writable = await file.createWritable().catch(() => null)) !== null, 'the lock ends with the worker', 30_000, 20);
  await writable.abort();
  assert_equals(await readText(file), 'new!');
}, 'what a worker wrote stays when it is terminated, and its lock ends');

inDirectory(async (t, dir) => {
  const [file, worker] = [await writeFile(dir, 'file', 'old'), openWorker(t)];
  await worker.tell('openWritable', [dir.name, 'file'], { mode: 'exclusive' });
  await worker.tell('writeWritable', 'never');
  worker.terminate();
  let writable;
  await t.step_wait(async () => (writable = await file.createWritable().catch(() => null)) !== null, 'the lock ends with the worker', 30_000, 20);
  await writable.abort();
  assert_equals(await readText(file), 'old');
  assert_array_equals(await namesIn(dir), ['file']);
}, 'a writable that was never closed leaves nothing when its worker is terminated');

inDirectory(async (t, dir) => {
  const worker = openWorker(t);
  await writeFile(dir, 'changed', '');
  const records = [];
  const observer = new FileSystemObserver((batch) => records.push(...batch));
  t.add_cleanup(() => observer.disconnect());
  await observer.observe(dir);
  await worker.tell('openWritable', [dir.name, 'changed']);
  await worker.tell('writeWritable', 'new');
  await worker.tell('closeWritable');
  await worker.tell('openAccess', [dir.name, 'made']);
  await worker.tell('closeAccess');
  await worker.tell('change', [dir.name, 'made'], 'move', 'moved');
  await worker.tell('change', [dir.name, 'moved'], 'remove');
  await t.step_wait(() => records.some(({ type }) => type === 'disappeared'), 'the last change is told', 30_000, 20);
  const told = records.map(({ type, relativePathComponents }) => `${type} ${relativePathComponents.join('/')}`);
  assert_array_equals(told, ['modified changed', 'appeared made', 'moved moved', 'disappeared moved']);
}, 'an observer learns of a worker\'s changes, in their order');

inDirectory(async (t, dir) => {
  const workers = [openWorker(t), openWorker(t)];
  const outcomes = await Promise.all(workers.map((worker) => nameOfRejection(worker.tell('openAccess', [dir.name, 'file']))));
  assert_array_equals(outcomes.sort(), ['NoModificationAllowedError', 'fulfilled']);
}, 'of two workers that race for a file one gets it');
