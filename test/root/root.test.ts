import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';

let parent: string;
let place: string;

beforeEach(() => {
  parent = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-root-'));
  place = path.join(parent, 'deep', 'root');
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(parent, { recursive: true, force: true });
});

const bucketOf = (root: Root, origin = 'https://app.example', name = 'default'): BucketDirectory =>
  new BucketDirectory(root, origin, name);

function codeOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

function errorOf(body: () => unknown): HoldfastError {
  try {
    body();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: pretended, ${syscall}`), { code, syscall });
}

/** Every path below a directory, with `d` or `f`. */
function tree(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => `${entry.isDirectory() ? 'd' : 'f'} ${path.relative(directory, path.join(entry.parentPath, entry.name))}`)
    .sort();
}

describe('reading', () => {
  test('a missing root is nothing, and stays missing', () => {
    const root = new Root(place, 'relaxed');
    expect(root.open()).toBeNull();
    expect(bucketOf(root).path.startsWith(place)).toBe(true);
    expect(fs.readdirSync(parent)).toEqual([]);
  });

  test('sees a root that another makes later', () => {
    const reader = new Root(place, 'relaxed');
    expect(reader.open()).toBeNull();
    const { salt } = new Root(place, 'relaxed').ensure();
    expect(reader.open()?.salt).toBe(salt);
  });

  test('of a root that is a file fails, and leaves the file', () => {
    fs.mkdirSync(path.dirname(place));
    fs.writeFileSync(place, 'precious');
    expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('root-unusable');
    expect(codeOf(() => bucketOf(new Root(place, 'relaxed')).ensure())).toBe('root-unusable');
    expect(fs.readFileSync(place, 'utf8')).toBe('precious');
  });

  test('of a path that goes through a file fails', () => {
    fs.writeFileSync(path.join(parent, 'deep'), 'precious');
    expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('root-unusable');
    expect(codeOf(() => new Root(place, 'relaxed').ensure())).toBe('root-unusable');
  });
});

describe('creating', () => {
  test('lays out root, origin and bucket as the format says', () => {
    const root = new Root(place, 'relaxed');
    bucketOf(root).ensure();
    const found = tree(place);
    expect(found).toEqual(
      expect.arrayContaining([
        'f .gitignore',
        'f holdfast.json',
        'f origins/https_app.example/origin.json',
        ...['files.0', 'swap', 'trash', 'wake', 'local-storage', 'locks', 'local-storage/cand', 'locks/cand'].map(
          (name) => `d origins/https_app.example/default/${name}`,
        ),
      ]),
    );
    expect(fs.readdirSync(root.workshop)).toEqual([]);
    expect(fs.readFileSync(path.join(place, '.gitignore'), 'utf8')).toBe('*\n');
    expect(JSON.parse(fs.readFileSync(path.join(place, 'origins/https_app.example/origin.json'), 'utf8'))).toMatchObject({
      origin: 'https://app.example',
    });
    expect(root.open()).toEqual({ format: 1, salt: expect.stringMatching(/^[0-9a-f]{64}$/), foldsNames: false });
  });

  test('gives nobody else access', () => {
    bucketOf(new Root(place, 'relaxed')).ensure();
    for (const entry of fs.readdirSync(place, { recursive: true, withFileTypes: true })) {
      const mode = fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o777;
      expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
    expect(fs.statSync(place).mode & 0o777).toBe(0o700);
  });

  test('is idempotent, and keeps the salt', () => {
    const { salt } = new Root(place, 'relaxed').ensure();
    const root = new Root(place, 'relaxed');
    bucketOf(root).ensure();
    const before = tree(place);
    bucketOf(root).ensure();
    expect(root.ensure().salt).toBe(salt);
    expect(tree(place)).toEqual(before);
  });

  test('of a second bucket of an origin stands beside the first', () => {
    const root = new Root(place, 'relaxed');
    bucketOf(root).ensure();
    bucketOf(root, 'https://app.example', 'drafts').ensure();
    expect(fs.readdirSync(path.join(place, 'origins/https_app.example')).sort()).toEqual(['default', 'drafts', 'origin.json']);
  });

  test('does not hide the files of others from version control', () => {
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(path.join(place, 'README'), 'mine');
    new Root(place, 'relaxed').ensure();
    expect(fs.existsSync(path.join(place, '.gitignore'))).toBe(false);
  });

  test('finishes what a killed creator left unfinished', () => {
    fs.mkdirSync(path.join(place, 'new'), { recursive: true });
    fs.mkdirSync(path.join(place, 'origins'));
    fs.writeFileSync(path.join(place, '.gitignore'), '*\n');
    fs.writeFileSync(path.join(place, 'new', crypto.randomUUID()), '{');
    fs.writeFileSync(path.join(place, 'new', `.new-probe-\u00e9-17-abc`), '');
    expect(new Root(place, 'relaxed').ensure().format).toBe(1);
  });

  test('begins again when the root is deleted under it', () => {
    const root = new Root(place, 'relaxed');
    bucketOf(root).ensure();
    fs.rmSync(place, { recursive: true });
    bucketOf(root).ensure();
    expect(fs.existsSync(path.join(place, 'holdfast.json'))).toBe(true);
  });

  test('strict syncs every new parent, and what is inside before the rename that shows it', () => {
    const done: string[] = [];
    const { openSync, fsyncSync, renameSync } = fs;
    const paths = new Map<number, string>();
    vi.spyOn(fs, 'openSync').mockImplementation((...args) => {
      const descriptor = openSync(...args);
      paths.set(descriptor, String(args[0]));
      return descriptor;
    });
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      done.push(`sync ${paths.get(descriptor)}`);
      fsyncSync(descriptor);
    });
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      done.push(`rename to ${String(to)}`);
      renameSync(from, to);
    });
    bucketOf(new Root(place, 'strict')).ensure();
    const origin = path.join(place, 'origins/https_app.example');
    const shown = done.indexOf(`rename to ${origin}`);
    expect(shown).toBeGreaterThan(0);
    expect(done.slice(0, shown).filter((step) => step.endsWith('/local-storage')).length).toBeGreaterThan(0);
    const after = done.slice(shown);
    for (const directory of [path.join(origin, 'default'), origin, path.join(place, 'origins'), place, path.dirname(place), parent]) {
      expect(after).toContain(`sync ${directory}`);
    }
  });
});

describe('refusing', () => {
  test('a root of a newer format, changing nothing', () => {
    new Root(place, 'relaxed').ensure();
    const manifest = path.join(place, 'holdfast.json');
    fs.writeFileSync(manifest, JSON.stringify({ format: 2, anything: 'else' }));
    const before = tree(place);
    expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('root-newer');
    expect(codeOf(() => bucketOf(new Root(place, 'relaxed')).ensure())).toBe('root-newer');
    expect(tree(place)).toEqual(before);
  });

  test.each(['', '{', 'null', '[]', '{"format":1}', '{"format":"1","salt":"","foldsNames":false}'])(
    'a damaged manifest: %j',
    (text) => {
      new Root(place, 'relaxed').ensure();
      fs.writeFileSync(path.join(place, 'holdfast.json'), text);
      expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('root-unusable');
      expect(codeOf(() => new Root(place, 'relaxed').ensure())).toBe('root-unusable');
      expect(fs.readFileSync(path.join(place, 'holdfast.json'), 'utf8')).toBe(text);
    },
  );

  test('data whose manifest is lost', () => {
    bucketOf(new Root(place, 'relaxed')).ensure();
    fs.rmSync(path.join(place, 'holdfast.json'));
    expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('root-unusable');
    expect(codeOf(() => new Root(place, 'relaxed').ensure())).toBe('root-unusable');
  });

  test('a network disk, before anything is written', () => {
    const statfs = fs.statfsSync(parent);
    vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...statfs, type: 0x6969 });
    expect(codeOf(() => new Root(place, 'relaxed').ensure())).toBe('disk-unsupported');
    expect(fs.readdirSync(parent)).toEqual([]);
  });

  test('a network disk that a root was copied to', () => {
    new Root(place, 'relaxed').ensure();
    const statfs = fs.statfsSync(parent);
    vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...statfs, type: -11317950 });
    expect(codeOf(() => new Root(place, 'relaxed').open())).toBe('disk-unsupported');
  });

  test('nothing, where the runtime denies the question what disk it is', () => {
    vi.spyOn(fs, 'statfsSync').mockImplementation(() => {
      throw systemError('NotCapable', 'statfs');
    });
    expect(new Root(place, 'relaxed').ensure().format).toBe(1);
  });

  test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('a disk without hard links (%s)', (code) => {
    vi.spyOn(fs, 'linkSync').mockImplementation(() => {
      throw systemError(code, 'link');
    });
    const root = new Root(place, 'relaxed');
    expect(codeOf(() => root.ensure())).toBe('disk-unsupported');
    expect(root.open()).toBeNull();
    expect(fs.readdirSync(root.workshop)).toEqual([]);
  });
});

describe('a fault at any system call of the creation', () => {
  const calls = ['mkdirSync', 'writeFileSync', 'openSync', 'writeSync', 'linkSync', 'renameSync'] as const;
  const faults = { ENOSPC: 'disk-full', EDQUOT: 'disk-full', EROFS: 'root-read-only', EACCES: 'root-read-only', EIO: 'disk-failed' };

  function failNth(name: (typeof calls)[number], nth: number, code: string): { readonly count: number } {
    const state = { count: 0 };
    const original = fs[name] as (...args: unknown[]) => unknown;
    vi.spyOn(fs, name as 'mkdirSync').mockImplementation((...args: unknown[]) => {
      state.count += 1;
      if (state.count === nth) throw systemError(code, name.replace('Sync', ''));
      return original(...args) as undefined;
    });
    return state;
  }

  test.each(calls.flatMap((call) => Object.entries(faults).map(([code, expected]) => [call, code, expected] as const)))(
    '%s fails with %s: %s, and the next attempt succeeds',
    (call, code, expected) => {
      for (let nth = 1; ; nth += 1) {
        fs.rmSync(path.join(parent, 'deep'), { recursive: true, force: true });
        const root = new Root(place, 'relaxed');
        const state = failNth(call, nth, code);
        const outcome = codeOf(() => bucketOf(root).ensure());
        vi.restoreAllMocks();
        if (state.count < nth) return expect(outcome).toBe('nothing thrown');
        expect(outcome).toBe(expected);
        expect(fs.existsSync(bucketOf(root).path)).toBe(false);
        expect(fs.existsSync(root.workshop) ? fs.readdirSync(root.workshop) : []).toEqual([]);
        bucketOf(root).ensure();
        expect(fs.existsSync(path.join(bucketOf(root).path, 'wake'))).toBe(true);
      }
    },
  );
});

/** As if it was last written to an hour ago. */
function age(entry: string): void {
  const longAgo = new Date(Date.now() - 3_600_000);
  fs.utimesSync(entry, longAgo, longAgo);
}

/** Every path below a directory, with its content if it is a file. */
function contents(directory: string): Record<string, string | null> {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const at = path.join(entry.parentPath, entry.name);
      return [path.relative(directory, at), entry.isFile() ? fs.readFileSync(at, 'utf8') : null];
    }),
  );
}

describe("a directory with somebody else's files", () => {
  const project = { 'package.json': '{}', '.gitignore': 'node_modules', 'src/index.js': 'run()', 'local-storage/0': 'mine', 'swap/a': 'b' };

  function write(files: Record<string, string>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(place, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
      age(file);
    }
  }

  test('becomes a root beside them, and touches none of them', () => {
    write(project);
    bucketOf(new Root(place, 'relaxed')).ensure();
    bucketOf(new Root(place, 'relaxed'), 'https://other.example').ensure();
    expect(contents(place)).toMatchObject(project);
  });

  test.each([
    ['new/Button.jsx', path.join('new', 'Button.jsx')],
    ['new', 'new'],
    ['origins/europe.json', path.join('origins', 'europe.json')],
    ['trash/letter', 'trash'],
    ['holdfast-hub.json', 'holdfast-hub.json'],
    ['holdfast.json', 'holdfast.json'],
  ])('is no root if one of them is %s: the error names it, and nothing is touched', (file, entry) => {
    write({ ...project, [file]: 'mine' });
    const before = contents(place);
    const root = new Root(place, 'relaxed');
    const error = errorOf(() => bucketOf(root).ensure());
    expect(error.code).toBe('root-unusable');
    expect(error.message).toContain(entry);
    expect(error.message).toContain(place);
    expect(contents(place)).toEqual(before);
  });

  test('is no root if a link in it has a name of ours', () => {
    const elsewhere = path.join(parent, 'elsewhere');
    fs.mkdirSync(elsewhere);
    fs.mkdirSync(place, { recursive: true });
    fs.symlinkSync(elsewhere, path.join(place, 'new'));
    expect(codeOf(() => new Root(place, 'relaxed').ensure())).toBe('root-unusable');
  });

  test('keeps what is put into the workshop of a root later', () => {
    const root = new Root(place, 'relaxed');
    root.ensure();
    const names = ['Button.jsx', 'x.dead', 'ABCDEF00-0000-4000-8000-000000000000', `${crypto.randomUUID()}.txt`];
    for (const name of names) {
      fs.writeFileSync(path.join(root.workshop, name), 'mine');
      age(path.join(root.workshop, name));
    }
    bucketOf(root).ensure();
    expect(fs.readdirSync(root.workshop).sort()).toEqual([...names].sort());
  });
});

test('a strict bucket that cannot be synced for want of descriptors says so by a code of ours', () => {
  bucketOf(new Root(place, 'relaxed')).ensure();
  const { readdirSync } = fs;
  vi.spyOn(fs, 'readdirSync').mockImplementation(((target: string, ...rest: []) => {
    if (target.endsWith('local-storage')) throw systemError('EMFILE', 'scandir');
    return readdirSync(target, ...rest);
  }) as typeof fs.readdirSync);
  const error = errorOf(() => bucketOf(new Root(place, 'strict')).ensure());
  expect(error.code).toBe('disk-failed');
  expect(error.message).toContain('EMFILE');
  vi.restoreAllMocks();
  bucketOf(new Root(place, 'strict')).ensure();
});

describe('the workshop', () => {
  test('loses what a killed builder left long ago, and keeps what is being built', () => {
    const root = new Root(place, 'relaxed');
    root.ensure();
    const [old, young] = [crypto.randomUUID(), crypto.randomUUID()];
    for (const name of [old, young]) fs.mkdirSync(path.join(root.workshop, name, 'default'), { recursive: true });
    age(path.join(root.workshop, old));
    bucketOf(root).ensure();
    expect(fs.readdirSync(root.workshop)).toEqual([young]);
  });
});
