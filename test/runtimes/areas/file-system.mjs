// The File System Standard, and what browsers ship beyond it. https://fs.spec.whatwg.org/
import assert from 'node:assert/strict';
import { serializeHandle } from 'holdfast';
import { startPeer } from '../kit/peer.mjs';
import { withDirectory } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

const bytes = (...values) => Uint8Array.from(values);
const create = { create: true };

async function put(directory, name, content) {
  const file = await directory.getFileHandle(name, create);
  const writable = await file.createWritable();
  await writable.write(content);
  await writable.close();
  return file;
}

const textOf = async (file) => (await file.getFile()).text();

async function names(directory) {
  const found = [];
  for await (const name of directory.keys()) found.push(name);
  return found.sort();
}

test('files are written and read', () =>
  withDirectory(async (root) => {
    const file = await put(root, 'a.txt', 'hello');
    assert.equal(await textOf(file), 'hello');
    assert.equal(file.name, 'a.txt');
    assert.equal(file.kind, 'file');
    assert.equal(root.name, '');
    assert.equal(await textOf(await root.getFileHandle('a.txt')), 'hello');
  }));

test('everything that can be written, is', () =>
  withDirectory(async (root) => {
    const file = await root.getFileHandle('a', create);
    const writable = await file.createWritable();
    await writable.write('text ');
    await writable.write(bytes(98, 121, 116, 101, 115));
    await writable.write(new Blob([' blob']));
    await writable.write({ type: 'write', position: 0, data: 'T' });
    await writable.write(new DataView(bytes(120, 69, 120).buffer, 1, 1));
    await writable.seek(17);
    await writable.write('.');
    await writable.truncate(20);
    assert.equal((await file.getFile()).size, 0);
    await writable.close();
    assert.equal(await textOf(file), 'TExt bytes blob\0\0.\0\0');
  }));

test('keepExistingData starts at the beginning; abort leaves the file as it was', () =>
  withDirectory(async (root) => {
    const file = await put(root, 'a', '0123456789');
    const kept = await file.createWritable({ keepExistingData: true });
    await kept.write('AB');
    await kept.close();
    assert.equal(await textOf(file), 'AB23456789');
    const aborted = await file.createWritable();
    await aborted.write('lost');
    await aborted.abort();
    assert.equal(await textOf(file), 'AB23456789');
  }));

test('a stream of 8 MiB is piped in, and streamed out again', () =>
  withDirectory(async (root) => {
    const file = await root.getFileHandle('large', create);
    let left = 128;
    const source = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(65536).fill(left));
        if (--left === 0) controller.close();
      },
    });
    await source.pipeTo(await file.createWritable());
    const found = await file.getFile();
    assert.equal(found.size, 2 ** 23);
    let [size, sum] = [0, 0];
    for await (const chunk of found.stream()) {
      size += chunk.length;
      for (const byte of chunk) sum += byte;
    }
    assert.equal(size, 2 ** 23);
    assert.equal(sum, 65536 * ((128 * 129) / 2));
  }));

test('sync access handles have one cursor, and positions', () =>
  withDirectory(async (root) => {
    const handle = await (await root.getFileHandle('a', create)).createSyncAccessHandle();
    assert.equal(handle.mode, 'readwrite');
    assert.equal(handle.write(bytes(1, 2, 3)), 3);
    assert.equal(handle.write(bytes(4)), 1);
    assert.equal(handle.write(bytes(9), { at: 6 }), 1);
    assert.equal(handle.getSize(), 7);
    const read = new Uint8Array(7);
    assert.equal(handle.read(read, { at: 0 }), 7);
    assert.deepEqual(read, bytes(1, 2, 3, 4, 0, 0, 9));
    assert.equal(handle.read(read), 0);
    handle.truncate(2);
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    assert.equal(handle.read(shared, { at: 0 }), 2);
    assert.deepEqual([...shared], [1, 2]);
    assert.equal(handle.flush(), undefined);
    assert.equal(handle.close(), undefined);
    handle.close();
    assert.throws(() => handle.getSize(), { name: 'InvalidStateError' });
  }));

test('who holds a file keeps others out, by mode', () =>
  withDirectory(async (root) => {
    const file = await root.getFileHandle('a', create);
    const handle = await file.createSyncAccessHandle();
    await assert.rejects(file.createSyncAccessHandle(), { name: 'NoModificationAllowedError' });
    await assert.rejects(file.createWritable(), { name: 'NoModificationAllowedError' });
    await assert.rejects(root.removeEntry('a'), { name: 'NoModificationAllowedError' });
    handle.close();
    const readers = await Promise.all([1, 2].map(() => file.createSyncAccessHandle({ mode: 'read-only' })));
    assert.throws(() => readers[0].write(bytes(1)), { name: 'NoModificationAllowedError' });
    for (const reader of readers) reader.close();
    (await file.createSyncAccessHandle({ mode: 'readwrite-unsafe' })).close();
  }));

test('legal names are kept exactly, illegal ones are TypeErrors', () =>
  withDirectory(async (root) => {
    const legal = ['a..b', 'dot.', 'space ', ' ', '#$23423@352^*3243', '😀', 'é', 'e\u0301', 'CON', 'con', 'Con', '%41', 'x'.repeat(300), '-', '~'];
    const illegal = ['', '.', '..', 'a/b'];
    // It separates paths on Windows only. https://fs.spec.whatwg.org/#valid-file-name
    (process.platform === 'win32' ? illegal : legal).push('a\\b');
    for (const name of legal) await put(root, name, name);
    assert.deepEqual(await names(root), legal.toSorted());
    for (const name of legal) assert.equal(await textOf(await root.getFileHandle(name)), name);
    for (const name of illegal) await assert.rejects(root.getFileHandle(name, create), TypeError);
  }));

test('directories list, resolve and compare', () =>
  withDirectory(async (root) => {
    const outer = await root.getDirectoryHandle('outer', create);
    const inner = await outer.getDirectoryHandle('inner', create);
    const file = await put(inner, 'f', 'x');
    assert.deepEqual(await root.resolve(file), ['outer', 'inner', 'f']);
    assert.deepEqual(await root.resolve(root), []);
    assert.equal(await inner.resolve(outer), null);
    assert.equal(await file.isSameEntry(await inner.getFileHandle('f')), true);
    assert.equal(await file.isSameEntry(inner), false);
    const entries = [];
    for await (const [name, handle] of outer) entries.push([name, handle.kind]);
    assert.deepEqual(entries, [['inner', 'directory']]);
    assert.equal(await file.getUniqueId(), await (await inner.getFileHandle('f')).getUniqueId());
    await assert.rejects(root.getFileHandle('outer'), { name: 'TypeMismatchError' });
    await assert.rejects(root.getFileHandle('none'), { name: 'NotFoundError' });
    await assert.rejects(root.removeEntry('outer'), { name: 'InvalidModificationError' });
    await root.removeEntry('outer', { recursive: true });
    assert.deepEqual(await names(root), []);
    await assert.rejects(textOf(file), { name: 'NotFoundError' });
  }));

test('entries are moved, over others too', () =>
  withDirectory(async (root) => {
    const file = await put(root, 'a', 'content');
    const folder = await root.getDirectoryHandle('folder', create);
    await put(folder, 'b', 'old');
    await file.move(folder, 'b');
    assert.equal(file.name, 'b');
    assert.equal(await textOf(file), 'content');
    assert.deepEqual(await names(root), ['folder']);
    await folder.move('renamed');
    assert.equal(await textOf(await folder.getFileHandle('b')), 'content');
    await assert.rejects(folder.move(folder, 'inside'), { name: 'InvalidModificationError' });
    await (await folder.getFileHandle('b')).remove();
    assert.deepEqual(await names(folder), []);
  }));

test('a file is read in all ways', () =>
  withDirectory(async (root) => {
    const file = await (await put(root, 'page.html', '0123456789')).getFile();
    assert.ok(file instanceof File);
    assert.deepEqual([file.name, file.size, file.type], ['page.html', 10, 'text/html']);
    assert.ok(Number.isInteger(file.lastModified));
    assert.equal(await file.text(), '0123456789');
    assert.deepEqual([...new Uint8Array(await file.arrayBuffer())].length, 10);
    assert.equal(await file.slice(2, -2).slice(1).text(), '34567');
    assert.equal(file.slice(0, 1, 'text/plain').type, 'text/plain');
    const chunks = [];
    for await (const chunk of file.slice(3).stream()) chunks.push(...chunk);
    assert.equal(String.fromCharCode(...chunks), '3456789');
    const form = new FormData();
    form.append('file', file);
    assert.equal(form.get('file').name, 'page.html');
    assert.equal(await form.get('file').text(), '0123456789');
  }));

test('a file is the body of a response, and a part of a blob', () =>
  withDirectory(async (root) => {
    const file = await (await put(root, 'a', 'body')).getFile();
    assert.equal(await new Response(file).text(), 'body');
    assert.equal(await new Response(file.stream()).text(), 'body');
    assert.equal(await new Blob([file]).text(), 'body');
    // docs/DEVIATIONS.md: Bun leaves files on disk out of blobs of several parts, its own files too.
    assert.equal(await new Blob(['a ', file]).text(), 'Bun' in globalThis ? 'a ' : 'a body');
  }));

test('a file that has changed since is not readable', () =>
  withDirectory(async (root) => {
    const handle = await put(root, 'a', 'first');
    const file = await handle.getFile();
    await put(root, 'a', 'second content');
    await assert.rejects(file.text(), { name: 'NotReadableError' });
    assert.equal(await textOf(handle), 'second content');
    const gone = await handle.getFile();
    await handle.remove();
    await assert.rejects(gone.text(), { name: 'NotFoundError' });
  }));

test('handles pass as plain data within their origin only', () =>
  withDirectory(async (root, app, host) => {
    const data = JSON.parse(JSON.stringify(serializeHandle(await put(root, 'a', 'here'))));
    assert.equal(await textOf(host.deserializeHandle(data, app)), 'here');
    assert.throws(() => host.deserializeHandle(data, 'https://other.example'), { name: 'DataCloneError' });
  }));

test('observers are told of what another process does', () =>
  withDirectory(async (root, app, host) => {
    const peer = await startPeer(host.root);
    const { FileSystemObserver } = await interfaces(host);
    const records = [];
    const observer = new FileSystemObserver((news) => records.push(...news));
    await observer.observe(root);
    await peer.ask('write', 'theirs.txt', 'x');
    await until(() => records.some(({ type }) => type === 'appeared'), 'the new file was noticed');
    await peer.ask('remove', 'theirs.txt');
    const last = await until(() => records.find(({ type }) => type === 'disappeared'), 'the removal was noticed');
    assert.deepEqual(last.relativePathComponents, ['theirs.txt']);
    observer.disconnect();
    await peer.leave();
  }));

test('what one process has written another reads, and neither enters a file that the other holds', () =>
  withDirectory(async (root, app, host) => {
    const peer = await startPeer(host.root);
    for (let n = 0; n < 10; n++) {
      await put(root, 'shared', `ours ${n}`);
      assert.equal(await peer.ask('read', 'shared'), `ours ${n}`);
      await peer.ask('write', 'shared', `theirs ${n}`);
      assert.equal(await textOf(await root.getFileHandle('shared')), `theirs ${n}`);
    }
    await peer.ask('open', 'shared');
    const file = await root.getFileHandle('shared');
    await assert.rejects(file.createSyncAccessHandle(), { name: 'NoModificationAllowedError' });
    await assert.rejects(file.remove(), { name: 'NoModificationAllowedError' });
    await peer.ask('close', 'shared');
    (await file.createSyncAccessHandle()).close();
    await peer.leave();
  }));

test('estimate counts the files', () =>
  withDirectory(async (root, app) => {
    await put(root, 'a', new Uint8Array(100_000));
    const { usage, quota } = await app.storage.estimate();
    assert.ok(usage >= 100_000 && quota > usage, `${usage} of ${quota}`);
  }));

/** Interface objects are found on what `install()` is given. */
async function interfaces(host) {
  const { install } = await import('holdfast');
  const target = {};
  install({ host, target, origin: 'https://app.example' });
  return target;
}
