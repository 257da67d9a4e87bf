import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeName } from '../../src/disk/names/name.ts';
import { isEncrypted } from '../support/sealed.ts';
import { codeOf, makeBucket, names, put, read, weigh } from './support.ts';
import type { Bucket } from './support.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  vi.restoreAllMocks();
  bucket.remove();
});

const LONG = 'a long name '.repeat(500);
const HOSTILE = ['con', 'a:b', 'x.', 'x ', '%41', 'A', 'a', '\0', '\ud800', '.new-x', '\n', 'ü', 'u\u0308', LONG, `${LONG}2`];

describe('entries', () => {
  it('come into being once, with modes that nobody else can use, whatever the umask', () => {
    const umask = process.umask(0o777);
    try {
      expect(bucket.tree.createDirectory(['d'])).toBe(true);
      expect(bucket.tree.createDirectory(['d'])).toBe(false);
      expect(bucket.tree.createFile(['d', 'f'])).toBe(true);
      expect(bucket.tree.createFile(['d', 'f'])).toBe(false);
    } finally {
      process.umask(umask);
    }
    expect(fs.statSync(path.join(bucket.files, 'd')).mode & 0o777).toBe(0o700);
    expect(fs.statSync(path.join(bucket.files, 'd', 'f')).mode & 0o777).toBe(0o600);
  });

  // Encrypted, they are none: test/encryption/files.
  it.skipIf(isEncrypted)('are real files with their real names where these are readable', async () => {
    bucket.tree.createDirectory(['photos']);
    await put(bucket.tree, ['photos', 'Köln 1.jpg'], 'pixels');
    expect(fs.readFileSync(path.join(bucket.files, 'photos', 'Köln 1.jpg'), 'utf8')).toBe('pixels');
  });

  it('keep every name exactly, through all that names them', async () => {
    for (const name of HOSTILE) await put(bucket.tree, [name], name);
    expect(names(bucket.tree)).toEqual([...HOSTILE].sort());
    for (const name of HOSTILE) expect(await read(bucket.tree, [name])).toBe(Buffer.from(name).toString());
    for (const name of HOSTILE) await bucket.tree.move([name], [`${name}-moved`]);
    expect(names(bucket.tree)).toEqual(HOSTILE.map((name) => `${name}-moved`).sort());
    for (const name of HOSTILE) bucket.tree.remove([`${name}-moved`]);
    expect(fs.readdirSync(bucket.files)).toEqual([]);
  });

  it('with long names hold others with long names', async () => {
    bucket.tree.createDirectory([LONG]);
    bucket.tree.createDirectory([LONG, LONG]);
    await put(bucket.tree, [LONG, LONG, LONG], 'deep');
    await bucket.tree.move([LONG], ['short']);
    expect(await read(bucket.tree, ['short', LONG, LONG])).toBe('deep');
    expect(fs.readdirSync(bucket.files)).toEqual(['short']);
  });

  it('are told apart by kind', async () => {
    bucket.tree.createDirectory(['d']);
    bucket.tree.createFile(['f']);
    expect([[], ['d'], ['f'], ['x'], ['f', 'x'], ['x', 'y']].map((locator) => bucket.tree.kindOf(locator))).toEqual([
      'directory', 'directory', 'file', null, null, null,
    ]);
    expect(await codeOf(() => bucket.tree.createFile(['d']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.createDirectory(['f']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.createFile(['f', 'x']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.createFile(['x', 'y']))).toBe('not-found');
    expect(await codeOf(() => bucket.tree.open(['d']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.stat(['d']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.entries(['f']))).toBe('type-mismatch');
    expect(await codeOf(() => bucket.tree.file(['x']))).toBe('not-found');
    expect(await codeOf(() => bucket.tree.remove(['x']))).toBe('not-found');
  });

  // The file is one that somebody has put there plain.
  it.skipIf(isEncrypted)('have a size and an integer time', () => {
    fs.writeFileSync(path.join(bucket.files, 'f'), 'four');
    fs.utimesSync(path.join(bucket.files, 'f'), 1, 1.2345);
    expect(bucket.tree.stat(['f'])).toEqual({ size: 4, lastModified: 1234 });
  });

  // Encrypted files take more, as docs/FORMAT.md says; test/encryption/files/host.test.ts counts that.
  it.skipIf(isEncrypted)('take their size and 4,096 bytes each, directories, spellings of long names and foreign files too', async () => {
    bucket.tree.createDirectory(['d']);
    await put(bucket.tree, ['d', LONG], '12345');
    await put(bucket.tree, ['f'], '123');
    fs.writeFileSync(path.join(bucket.files, 'no%name'), 'foreign');
    const spelling = fs.readdirSync(path.join(bucket.files, 'd')).find((name) => name.startsWith('%~')) ?? '';
    const { size } = fs.statSync(path.join(bucket.files, 'd', spelling));
    expect(weigh(bucket.path)).toBe(8 + size + 'foreign'.length + 5 * 4096);
  });
});

describe('a missing bucket', () => {
  it('reads as an empty one and is not made by reading', async () => {
    const missing = makeBucket(true);
    const { tree } = missing;
    expect(tree.kindOf(['f'])).toBeNull();
    expect(names(tree)).toEqual([]);
    expect(tree.isEmpty([])).toBe(true);
    expect(weigh(missing.path)).toBe(0);
    expect(await codeOf(() => tree.entries(['d']))).toBe('not-found');
    expect(await codeOf(() => tree.remove(['f']))).toBe('not-found');
    tree.sweep(() => true);
    await tree.empty();
    expect(fs.existsSync(missing.path)).toBe(false);
    missing.remove();
  });

  it('is made by the first file, directory or swap', async () => {
    for (const create of [
      (one: Bucket) => one.tree.createFile(['f']),
      (one: Bucket) => one.tree.createDirectory(['d']),
      (one: Bucket) => put(one.tree, ['f'], 'content'),
    ]) {
      const missing = makeBucket(true);
      await create(missing);
      expect(names(missing.tree)).toHaveLength(1);
      missing.remove();
    }
  });
});

describe('reading a directory', () => {
  it('of 100,000 entries reads ahead a few and gives each once', () => {
    const reads = vi.spyOn(fs.Dir.prototype, 'readSync');
    for (const name of ['0', '1']) bucket.tree.createFile([name]);
    // Links are made faster than files; one file cannot have as many.
    for (let index = 2; index < 100_000; index += 1) fs.linkSync(path.join(bucket.files, `${index % 2}`), path.join(bucket.files, `${index}`));
    const seen = new Set<string>();
    let mostAhead = 0;
    for (const [name] of bucket.tree.entries([])) {
      seen.add(name);
      mostAhead = Math.max(mostAhead, reads.mock.calls.length - seen.size);
    }
    expect(seen.size).toBe(100_000);
    expect(mostAhead).toBeLessThanOrEqual(1024);
  });

  it('goes on while entries come and go; those that stay are seen exactly once', () => {
    for (let index = 0; index < 6000; index += 1) bucket.tree.createFile([`${index % 2 === 0 ? 'stays' : 'goes'}-${index}`]);
    const seen: string[] = [];
    let step = 0;
    for (const [name] of bucket.tree.entries([])) {
      seen.push(name);
      const other = `goes-${(step += 1) * 2 - 1}`;
      if (bucket.tree.kindOf([other]) !== null) bucket.tree.remove([other]);
      bucket.tree.createFile([`comes-${step}`]);
      if (step === 3000) break;
    }
    for (const [name] of bucket.tree.entries([])) if (name.startsWith('stays')) seen.push(name);
    expect(new Set(seen.filter((name) => name.startsWith('stays'))).size).toBe(3000);
  });

  it('keeps no descriptor while its reader pauses in a small one, nor after it was left', () => {
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    if (process.platform !== 'linux') return;
    for (let index = 0; index < 3000; index += 1) bucket.tree.createFile([`${index}`]);
    bucket.tree.createDirectory(['small']);
    bucket.tree.createFile(['small', 'f']);
    const before = open();
    const readers = Array.from({ length: 50 }, () => bucket.tree.entries(['small']));
    for (const entry of bucket.tree.entries([])) if (entry !== undefined) break;
    expect(open()).toBe(before);
    expect(readers.map((reader) => reader.next().value?.[0])).toEqual(Array.from({ length: 50 }, () => 'f'));
  });

  it('leaves out names that are no text', () => {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${bucket.files}/`), Buffer.from([0x66, 0xff])]), '');
    bucket.tree.createFile(['\ufffd']);
    expect(names(bucket.tree)).toEqual(['\ufffd']);
  });

  it('leaves out a long name whose spelling is lost, until it is created again', () => {
    bucket.tree.createFile([LONG]);
    fs.writeFileSync(path.join(bucket.files, encodeName(LONG, false).long?.file ?? ''), 'torn');
    expect(names(bucket.tree)).toEqual([]);
    expect(bucket.tree.kindOf([LONG])).toBe('file');
    expect(bucket.tree.createFile([LONG])).toBe(false);
    expect(names(bucket.tree)).toEqual([LONG]);
  });
});

describe('moving', () => {
  it('replaces a file by a file, across directories', async () => {
    bucket.tree.createDirectory(['d']);
    await put(bucket.tree, ['a'], 'new');
    await put(bucket.tree, ['d', 'b'], 'old');
    await bucket.tree.move(['a'], ['d', 'b']);
    expect(names(bucket.tree)).toEqual(['d']);
    expect(await read(bucket.tree, ['d', 'b'])).toBe('new');
  });

  it('takes a directory along with what is below, and never onto anything', async () => {
    bucket.tree.createDirectory(['d']);
    bucket.tree.createFile(['d', 'f']);
    bucket.tree.createDirectory(['empty']);
    bucket.tree.createFile(['file']);
    expect(await codeOf(() => bucket.tree.move(['d'], ['empty']))).toBe('exists');
    expect(await codeOf(() => bucket.tree.move(['d'], ['file']))).toBe('exists');
    expect(await codeOf(() => bucket.tree.move(['file'], ['d']))).toBe('exists');
    expect(await codeOf(() => bucket.tree.move(['d'], ['d', 'x']))).toBe('into-itself');
    expect(await codeOf(() => bucket.tree.move(['x'], ['y']))).toBe('not-found');
    expect(await codeOf(() => bucket.tree.move(['file'], ['x', 'y']))).toBe('not-found');
    await bucket.tree.move(['d'], ['empty', 'd']);
    expect(bucket.tree.kindOf(['empty', 'd', 'f'])).toBe('file');
  });

  it('to itself changes nothing', async () => {
    await put(bucket.tree, ['a'], 'content');
    await bucket.tree.move(['a'], ['a']);
    expect(await read(bucket.tree, ['a'])).toBe('content');
  });
});

describe('opening', () => {
  it('for writing gives a file that has hard links an inode of its own', async () => {
    await put(bucket.tree, ['f'], 'before');
    await bucket.tree.prepareInPlace(['f']);
    const backup = path.join(bucket.path, 'backup');
    fs.linkSync(path.join(bucket.files, 'f'), backup);
    const before = fs.readFileSync(backup);
    const { descriptor, content } = bucket.tree.openForWriting(['f'], false);
    content.write(Buffer.from('after!'), 0);
    fs.closeSync(descriptor);
    expect(fs.readFileSync(backup)).toEqual(before);
    expect(await read(bucket.tree, ['f'])).toBe('after!');
  });

  it('is undone by a detached file: an open descriptor no longer reaches it', async () => {
    await put(bucket.tree, ['f'], 'content');
    await bucket.tree.prepareInPlace(['f']);
    const { descriptor, content } = bucket.tree.openForWriting(['f'], false);
    bucket.tree.detach(['f']);
    content.write(Buffer.from('fenced!'), 0);
    fs.closeSync(descriptor);
    expect(await read(bucket.tree, ['f'])).toBe('content');
  });
});

describe('names on a volume that folds them', () => {
  it('stay apart', async () => {
    const tree = bucket.open({ foldsNames: () => true });
    for (const name of ['Readme', 'README', 'readme', 'é', 'e\u0301', 'É']) await put(tree, [name], name);
    const components = fs.readdirSync(bucket.files);
    expect(new Set(components.map((component) => component.normalize('NFKD').toLowerCase())).size).toBe(6);
    expect(names(tree)).toEqual(['README', 'Readme', 'e\u0301', 'readme', 'É', 'é']);
  });
});

describe('an epoch that ends', () => {
  it('is left for the new one by every operation, and never comes back', async () => {
    let [now, told] = [0, 0];
    // Behind by one question: what a realm knows that has not yet read the journal.
    const epoch = (): number => {
      const answer = told;
      told = now;
      return answer;
    };
    const tree = bucket.open({ epoch });
    tree.createFile(['f']);
    tree.createDirectory(['d']);
    const operations: [operate: () => unknown, expected: unknown][] = [
      [() => tree.kindOf(['f']), 'file'],
      [() => tree.createFile(['g']), true],
      [() => tree.createFile(['f']), false],
      [() => tree.stat(['f']).size, 0],
      [() => put(tree, ['f'], 'content'), undefined],
      [() => read(tree, ['f']), 'content'],
      [() => tree.move(['f'], ['d', 'f']), undefined],
      [async () => (await tree.swap(['d', 'f'])).discard(), undefined],
      [() => tree.prepareInPlace(['d', 'f']), undefined],
      [() => fs.closeSync(tree.openForWriting(['d', 'f'], false).descriptor), undefined],
      [() => tree.stat(['d', 'f']).size, 7],
      [() => names(tree), ['d', 'g']],
      [() => tree.remove(['g']), undefined],
      [() => tree.empty(), undefined],
      [() => tree.isEmpty([]), true],
    ];
    for (const [operate, expected] of operations) {
      fs.renameSync(path.join(bucket.path, `files.${now}`), path.join(bucket.path, `files.${now + 1}`));
      epoch();
      now += 1;
      expect(await operate()).toEqual(expected);
      expect(fs.readdirSync(bucket.path).filter((name) => name.startsWith('files'))).toEqual([`files.${now}`]);
    }
  });
});
