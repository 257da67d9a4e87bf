import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import '../../src/host/storage-buckets/provided.ts';
import { encodeHeader, padding } from '../../src/host/archive/tar-header.ts';
import { A, archiveOf, filesOf, itemsOf, openHost, piecesOf, temporary, writeFile } from './support.ts';

/** An entry as an attacker may write it: with a manifest that says what is there. */
interface Forged {
  readonly path: string;
  readonly content?: string;
  readonly kind?: 'file' | 'directory';
  readonly records?: Record<string, string>;
  /** Changes the block of the header. */
  readonly spoil?: (block: Buffer) => void;
}

const head = { path: 'holdfast-archive.json', content: JSON.stringify({ format: 1, made: '', origins: [A] }) };
const origin = { path: 'https_a.example/origin.json', content: JSON.stringify({ origin: A }) };
const bucket = { path: 'https_a.example/default/bucket.json', content: JSON.stringify({ name: 'default', persisted: false }) };
const at = 'https_a.example/default';

function forge(entries: readonly Forged[], manifest?: string): Buffer {
  const lines: string[] = [];
  const blocks = entries.flatMap(({ path: name, content = '', kind = 'file', records = {}, spoil }) => {
    const bytes = Buffer.from(content);
    lines.push(kind === 'directory' ? `#directory ${name}\n` : `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
    const header = Buffer.from(encodeHeader({ path: name, kind, size: bytes.length, modified: 0, records }));
    spoil?.(header);
    return [header, bytes, padding(bytes.length)];
  });
  const text = Buffer.from(manifest ?? lines.join(''));
  const last = encodeHeader({ path: 'manifest.sha256', kind: 'file', size: text.length, modified: 0, records: {} });
  return Buffer.concat([...blocks, last, text, padding(text.length), new Uint8Array(1024)]);
}

function withType(type: string): (block: Buffer) => void {
  return (block) => {
    block.write(type, 156, 'latin1');
    block.fill(0x20, 148, 156);
    block.write(`${block.subarray(0, 512).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  };
}

/** A file of one with holes, whose map is not what it is to be. */
const sparse = (map: string, size = '100'): Forged => ({ path: `${at}/files/f`, content: map.padEnd(512, '\0'), records: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': `${at}/files/f`, 'GNU.sparse.realsize': size } });

test('an archive of that form is imported where nothing is wrong with it', async () => {
  const host = openHost();
  await host.importOrigin(piecesOf(forge([head, origin, bucket, { path: `${at}/files/f`, content: 'x' }])));
  expect(host.origin(A).localStorage.length).toBe(0);
});

const sealedHead = { path: 'holdfast-archive.json', content: JSON.stringify({ format: 2, made: '', origins: [A] }) };
const sealed = { path: 'https_a.example/sealed.json', content: JSON.stringify({ foldsNames: false, places: [{ path: 'default', parts: ['locks'] }] }) };
const inSealed = (name: string): Forged => ({ path: `https_a.example/sealed/${name}`, content: 'x' });

test.each<[string, readonly Forged[]]>([
  ['is said to be encrypted and has no keys', [sealedHead, origin, sealed, inSealed('default/local-storage/0')]],
  ['leads out of an encrypted origin by ..', [sealedHead, origin, sealed, inSealed('keys'), inSealed('default/../../out')]],
  ['is absolute below an encrypted origin', [sealedHead, origin, sealed, inSealed('keys'), inSealed('/etc/out')]],
  ['is of an encrypted origin and beside it', [sealedHead, origin, sealed, inSealed('keys'), bucket]],
  ['is of an encrypted origin that comes after a bucket', [sealedHead, origin, bucket, sealed, inSealed('keys')]],
  ['is of a part that none has', [sealedHead, origin, { ...sealed, content: JSON.stringify({ foldsNames: false, places: [{ path: '../out', parts: ['locks'] }] }) }, inSealed('keys')]],
  ['leads out by ..', [head, origin, bucket, { path: `${at}/files/../../../../out`, content: 'x' }]],
  ['is called ..', [head, origin, bucket, { path: `${at}/files/..`, content: 'x' }]],
  ['is absolute', [head, origin, bucket, { path: '/etc/out', content: 'x' }]],
  ['is absolute below files', [head, origin, bucket, { path: `${at}/files//etc/out`, content: 'x' }]],
  ['is spelled as no name is', [head, origin, bucket, { path: `${at}/files/a%zz`, content: 'x' }]],
  ['hides a slash in an escape', [head, origin, bucket, { path: `${at}/files/a%2`, content: 'x' }]],
  ['is in another origin', [head, origin, bucket, { path: 'https_b.example/default/files/f', content: 'x' }]],
  ['is in another bucket', [head, origin, bucket, { path: 'https_a.example/other/files/f', content: 'x' }]],
  ['is nothing that exports have', [head, origin, bucket, { path: `${at}/surprise`, content: 'x' }]],
  ['is a symbolic link', [head, origin, bucket, { path: `${at}/files/l`, spoil: withType('2') }]],
  ['is a hard link', [head, origin, bucket, { path: `${at}/files/l`, spoil: withType('1') }]],
  ['is a device', [head, origin, bucket, { path: `${at}/files/l`, spoil: withType('3') }]],
  ['is a pipe', [head, origin, bucket, { path: `${at}/files/l`, spoil: withType('6') }]],
  ['has a header with a wrong checksum', [head, origin, bucket, { path: `${at}/files/l`, spoil: (block) => block.write('x', 0) }]],
  ['is items of a named bucket', [head, origin, { path: 'https_a.example/bucket-1/bucket.json', content: JSON.stringify({ name: 'b', persisted: false }) }, { path: 'https_a.example/bucket-1/local-storage/0.jsonl', content: '["k","v"]\n' }]],
  ['is a bucket that is none', [head, origin, { path: 'https_a.example/bucket-1/bucket.json', content: JSON.stringify({ name: 'b', persisted: false, quota: -1 }) }]],
  ['comes before its bucket', [head, origin, { path: `${at}/files/f`, content: 'x' }]],
  ['comes before its origin', [head, bucket]],
  ['is a second head', [head, origin, bucket, head]],
  ['is an origin for the second time', [head, origin, bucket, origin]],
  ['is of an origin that it does not name', [{ ...head, content: JSON.stringify({ format: 1, origins: ['https://b.example'] }) }, origin]],
  ['is the directory of another origin', [head, { path: 'https_b.example/origin.json', content: JSON.stringify({ origin: A }) }]],
  ['is no JSON', [head, { ...origin, content: '{' }]],
  ['has items that are none', [head, origin, bucket, { path: `${at}/local-storage/0.jsonl`, content: '["k"]\n' }]],
  ['is a response without a request', [head, origin, bucket, { path: `${at}/caches/0/cache.json`, content: '{"name":"c"}' }, { path: `${at}/caches/0/0.response`, content: 'x' }]],
  ['is a response that is none', [head, origin, bucket, { path: `${at}/caches/0/cache.json`, content: '{"name":"c"}' }, { path: `${at}/caches/0/0.json`, content: '{"url":"https://x.example/","fragment":"","headers":[]}' }, { path: `${at}/caches/0/0.response`, content: 'no response' }]],
  ['is a database that is none', [head, origin, bucket, { path: `${at}/indexeddb/0/database.json`, content: '{"name":"d","version":-1,"stores":[]}' }]],
  ['is a file with an endless map of holes', [head, origin, bucket, sparse('99999999\n')]],
  ['is a file with extents that overlap', [head, origin, bucket, sparse('2\n50\n10\n40\n10\n')]],
  ['is a file with an extent beyond its end', [head, origin, bucket, sparse('1\n50\n60\n')]],
  ['is a file with fewer bytes than its map says', [head, origin, bucket, sparse('1\n0\n60\n')]],
  ['is a file with a map that is none', [head, origin, bucket, sparse('one\n')]],
  ['is a file of an endless size', [head, origin, bucket, sparse('0\n', '99999999999999999999')]],
])('an archive in which an entry %s is refused, with one line, and changes nothing', async (_, entries) => {
  const host = openHost();
  const rejected = await host.importOrigin(piecesOf(forge(entries))).then(() => null, (error: unknown) => error);
  expect(rejected).toMatchObject({ code: 'archive-damaged', message: expect.stringMatching(/^The archive cannot be imported: [^\n]*\. Nothing was changed\.$/) });
  expect(fs.readdirSync(path.join(host.root, 'origins'))).toEqual([]);
  expect(fs.readdirSync(path.join(host.root, 'new'))).toEqual([]);
  expect(fs.readdirSync(path.dirname(host.root))).toEqual(['root']);
});

test('one of a newer version is refused, and what is no archive', async () => {
  const host = openHost();
  await expect(host.importOrigin(piecesOf(forge([{ ...head, content: '{"format":3,"origins":[]}' }])))).rejects.toMatchObject({ code: 'archive-newer' });
  for (const content of ['', 'text', '\0'.repeat(2048), '<html>'.repeat(500)]) {
    await expect(host.importOrigin(piecesOf(Buffer.from(content)))).rejects.toMatchObject({ code: 'archive-damaged' });
  }
  await expect(host.importOrigin(piecesOf(forge([head, origin, bucket], 'nothing\n')))).rejects.toMatchObject({ code: 'archive-damaged' });
  await expect(host.importOrigin(null as unknown as AsyncIterable<Uint8Array>)).rejects.toMatchObject({ code: 'bad-option' });
  await expect(host.importOrigin(piecesOf(forge([head])), { existing: 'keep' as 'merge' })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(host.exportOrigin('https://nobody.example')).rejects.toMatchObject({ code: 'origin-missing' });
  expect(await host.deleteOrigin('https://nobody.example')).toBe(false);
});

test('an archive that is cut short or changed anywhere is refused, and what was there stays', async () => {
  const host = openHost();
  const a = host.origin(A);
  a.localStorage.setItem('k', 'value');
  await writeFile(a, ['dir', 'f'], 'content');
  const archive = await archiveOf(host);
  const other = openHost(path.join(temporary(), 'root'));
  other.origin(A).localStorage.setItem('mine', '1');
  const damaged = (bytes: Uint8Array): Promise<unknown> => other.importOrigin(piecesOf(bytes), { existing: 'replace' }).then(() => null, (error: unknown) => error);
  // Behind the manifest there are only zeros.
  const end = archive.lastIndexOf('manifest.sha256');
  for (let cut = 0; cut <= end + 512; cut += 256) expect(await damaged(archive.subarray(0, cut)), `cut at ${cut}`).toMatchObject({ code: 'archive-damaged' });
  expect(itemsOf(other.origin(A))).toEqual([['mine', '1']]);
  const spoiled = Buffer.from(archive);
  const content = spoiled.indexOf('content');
  spoiled[content] = 0x21;
  expect(await damaged(spoiled)).toMatchObject({ code: 'archive-damaged', message: expect.stringContaining("'https_a.example/default/files/dir/f' is damaged") });
  await expect(other.importOrigin((async function* () {
    yield archive.subarray(0, 2000);
    throw new Error('the pipe broke');
  })(), { existing: 'replace' })).rejects.toThrow('the pipe broke');
  expect(itemsOf(other.origin(A))).toEqual([['mine', '1']]);
  // What pads a block, and what of a header nobody reads, means nothing: all else is refused.
  for (let place = 37; place < end; place += 397) {
    const changed = Buffer.from(archive);
    changed[place] = (changed[place] ?? 0) ^ 1;
    const error = await damaged(changed);
    if (error === null) expect([itemsOf(other.origin(A)), await filesOf(other.origin(A))], `changed at ${place}`).toEqual([itemsOf(a), await filesOf(a)]);
    else expect(error).toMatchObject({ code: 'archive-damaged' });
  }
  expect(fs.readdirSync(path.join(other.root, 'new'))).toEqual([]);
});
