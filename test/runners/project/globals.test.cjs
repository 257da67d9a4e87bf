// The globals of an environment that installs Holdfast, as in docs/TESTING.md: the test is of another realm than it.
const wait = (condition) => (condition() ? undefined : new Promise((resolve) => setTimeout(resolve, 5)).then(() => wait(condition)));

test('localStorage', () => {
  localStorage.setItem('k', 'v');
  expect(localStorage.getItem('k')).toBe('v');
  expect(Object.prototype.toString.call(localStorage)).toBe('[object Storage]');
  expect(Object.keys(localStorage)).toEqual(['k']);
});

test('files keep the bytes of whatever holds them', async () => {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle('f', { create: true });
  for (const data of [Uint8Array.of(104, 105), Uint8Array.of(104, 105).buffer, new DataView(Uint8Array.of(104, 105).buffer), 'hi']) {
    const writable = await file.createWritable();
    await writable.write(data);
    await writable.close();
    expect(await (await file.getFile()).text()).toBe('hi');
  }
});

test('a Blob is written, or refused where its library lets nobody read it', async () => {
  const file = await (await navigator.storage.getDirectory()).getFileHandle('blob', { create: true });
  for (const data of [new Blob(['hi']), { type: 'write', data: new Blob(['hi']) }]) {
    const writable = await file.createWritable();
    const written = await writable.write(data).then(() => 'written', (error) => error.message);
    if (typeof Blob.prototype.arrayBuffer !== 'function') {
      expect(written).toMatch('it has no arrayBuffer()');
      continue;
    }
    await writable.close();
    expect(await (await file.getFile()).text()).toBe('hi');
  }
});

test('locks', async () => {
  expect(await navigator.locks.request('l', async (lock) => lock.name)).toBe('l');
  const controller = new AbortController();
  const held = navigator.locks.request('l', () => wait(() => controller.signal.aborted));
  const waiting = navigator.locks.request('l', { signal: controller.signal }, () => 'granted').catch((reason) => reason.name);
  await navigator.locks.query();
  controller.abort();
  expect(await waiting).toBe('AbortError');
  await held;
});

test('faked timers', async () => {
  jest.useFakeTimers();
  const root = await navigator.storage.getDirectory();
  const seen = new Promise((resolve) => new FileSystemObserver(resolve).observe(root).then(() => root.getFileHandle('seen', { create: true })));
  expect(await seen).toHaveLength(1);
  jest.useRealTimers();
});
