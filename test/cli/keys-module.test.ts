import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { keeperOf } from '../encryption/coordinators.ts';
import { snapshotOf } from '../encryption/support.ts';
import { FOR, ORIGIN, runCommand, runHere, startCommand, temporary } from './support.ts';

const OTHER = 'https://b.example';
const done = { code: 0, err: '' };

/** A module of a folder, by its text, as an option. */
function moduleIn(folder: string, text: string, name = 'keys.mjs'): readonly string[] {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return ['--keys', file];
}

/** What an operator may write, each with a key of its own: none of them gives one in the turn in which it is asked. */
const ways: Readonly<Record<string, (folder: string) => string>> = {
  kms: () => `
    import { createCipheriv, createDecipheriv } from 'node:crypto';
    const [master, nonce] = [Buffer.from('${randomBytes(32).toString('hex')}', 'hex'), Buffer.alloc(12)];
    const bound = (cipher, origin) => cipher.setAAD(Buffer.from(origin));
    export default { kms: {
      async wrap(bytes, origin) {
        const cipher = bound(createCipheriv('aes-256-gcm', master, nonce), origin);
        return Uint8Array.from(Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]));
      },
      async unwrap(bytes, origin) {
        const cipher = bound(createDecipheriv('aes-256-gcm', master, nonce), origin).setAuthTag(bytes.subarray(32));
        return Uint8Array.from(Buffer.concat([cipher.update(bytes.subarray(0, 32)), cipher.final()]));
      },
    } };`,
  keyFor: () => `
    import { hkdfSync } from 'node:crypto';
    const keyFor = async (origin) => new Uint8Array(hkdfSync('sha256', '${randomBytes(32).toString('hex')}', '', origin, 32));
    export default async () => ({ keyFor });`,
  store: (folder) => `
    import fs from 'node:fs/promises';
    const at = (name) => ${JSON.stringify(path.join(folder, 'store'))} + '/' + name;
    const store = {
      get: (name) => fs.readFile(at(name)).then((bytes) => Uint8Array.from(bytes), () => undefined),
      put: async (name, bytes) => { await fs.mkdir(at(''), { recursive: true }); await fs.writeFile(at(name), bytes); },
      delete: (name) => fs.rm(at(name), { force: true }),
    };
    export default () => ({ key: Buffer.from('${randomBytes(32).toString('hex')}', 'hex'), store });`,
};

/** A root with an origin that has an item, a file, a named bucket with one, and a coordinator; nothing is encrypted. */
async function plainRoot(folder: string): Promise<string> {
  const root = path.join(folder, 'root');
  const host = new StorageHost({ root });
  const client = host.origin(ORIGIN);
  client.localStorage.setItem('k', 'value');
  for (const bucket of [client.storage, await client.storageBuckets.open('named')]) {
    const writable = await (await (await bucket.getDirectory()).getFileHandle('f.txt', { create: true })).createWritable();
    await writable.write('content');
    await writable.close();
  }
  const { keeper, close } = keeperOf(host, 'Keeper');
  await keeper('one').set('i', 'v');
  await close();
  await host.close();
  return root;
}

function json(text: string): Record<string, unknown>[] {
  return text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.each(Object.keys(ways))('with %s commands encrypt, read, change, check, rekey, export and back up, and without nothing', async (way) => {
  const folder = temporary();
  const root = await plainRoot(folder);
  const keys = moduleIn(folder, ways[way]?.(folder) ?? '');
  const holdfast = (...args: string[]): ReturnType<typeof runHere> => runHere(root, [...args, ...keys]);
  expect(await holdfast('encrypt', '--all')).toMatchObject({ ...done, out: expect.stringContaining('it is encrypted now, and nothing of it is plain') });

  expect(await runCommand(root, ['get', 'k', ...FOR, ...keys])).toEqual({ ...done, out: 'value\n' });
  expect(await runCommand(root, ['cat', 'opfs:/f.txt', '--bucket', 'named', ...FOR, ...keys])).toEqual({ ...done, out: 'content' });
  expect(await holdfast('set', 'l', 'w', ...FOR)).toMatchObject(done);
  expect(await holdfast('keys', ...FOR)).toMatchObject({ ...done, out: 'k\nl\n' });
  expect(json((await holdfast('ls', '--json', ...FOR)).out)).toMatchObject([{ path: 'opfs:/f.txt', size: 7 }]);
  expect(await holdfast('put', path.join(folder, 'keys.mjs'), 'opfs:/in', ...FOR)).toMatchObject(done);
  expect(await holdfast('rm', 'opfs:/in', ...FOR)).toMatchObject(done);

  // Lists read in one turn what a promise has to have brought before.
  expect(json((await holdfast('origins', '--json')).out)).toMatchObject([{ origin: ORIGIN, buckets: [{ name: 'default', items: 2 }, { name: 'named' }] }]);
  for (const args of [[], FOR]) expect(json((await holdfast('du', '--json', ...args)).out)).toContainEqual(expect.objectContaining({ bucket: 'default', kind: 'localStorage', bytes: 2 * 'kvaluelw'.length }));
  for (const args of [[], FOR]) expect(await holdfast('locks', ...args)).toMatchObject(done);
  for (const args of [[], FOR]) expect(json((await holdfast('coordinators', '--json', ...args)).out)).toMatchObject([{ className: 'Keeper', name: 'one', items: 1 }]);
  expect(await holdfast('sync', 'status')).toMatchObject(done);
  expect(JSON.parse((await holdfast('verify', '--json')).out)).toMatchObject({ sound: true, origins: 1, unauthenticated: [] });

  expect(await holdfast('rekey', '--all', '--data-key', '--files')).toMatchObject({ ...done, out: expect.stringContaining('it has a new data key') });
  const [archive, repository] = [path.join(folder, 'archive.tar'), path.join(folder, 'backups')];
  expect(await holdfast('export', '--to', archive, ...FOR)).toMatchObject(done);
  expect(await holdfast('export', '--to', path.join(folder, 'part.tar'), '--plain', '--bucket', 'named', ...FOR)).toMatchObject(done);
  expect(await holdfast('import', '--from', archive, '--origin', OTHER)).toMatchObject(done);
  expect(await holdfast('backup', '--to', repository)).toMatchObject({ ...done, out: expect.stringContaining('2 origins') });
  expect(await holdfast('restore', '--from', repository, '--origin', OTHER)).toMatchObject(done);
  expect(await holdfast('restore', '--from', repository, '--origin', OTHER, '--as', 'https://c.example')).toMatchObject(done);
  for (const origin of [ORIGIN, OTHER, 'https://c.example']) expect(await runCommand(root, ['get', 'k', '--origin', origin, ...keys]), origin).toEqual({ ...done, out: 'value\n' });

  const before = snapshotOf(root);
  for (const args of [['get', 'k', ...FOR], ['set', 'k', 'v', ...FOR], ['ls', ...FOR], ['locks'], ['coordinators'], ['export', '--to', path.join(folder, 'none.tar')], ['restore', '--from', repository, ...FOR], ['import', '--from', archive, '--merge']]) {
    expect(await runHere(root, args), args[0]).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast \w+: [^\n]*https:\/\/[abc]\.example is encrypted[^\n]*\n$/) });
  }
  expect(snapshotOf(root)).toEqual(before);
  expect(await holdfast('delete-origin', ORIGIN, '--yes')).toMatchObject(done);
  expect(await runHere(root, ['get', 'k', ...FOR, ...keys])).toMatchObject({ code: 1, err: expect.stringContaining('has nothing of') });
}, 120_000);

test('an origin whose key is in a store is deleted with the store, whose key goes first, and not without', async () => {
  const folder = temporary();
  const root = await plainRoot(folder);
  const keys = moduleIn(folder, ways['store']?.(folder) ?? '');
  expect(await runHere(root, ['encrypt', ...FOR, ...keys])).toMatchObject(done);
  const [before, stored] = [snapshotOf(root), path.join(folder, 'store')];
  fs.writeFileSync(path.join(folder, 'key'), randomBytes(32));
  for (const wrong of [[], ['--key-file', path.join(folder, 'key')], moduleIn(folder, ways['store']?.(folder) ?? '', 'wrong.mjs')]) {
    expect(await runHere(root, ['delete-origin', ORIGIN, '--yes', ...wrong])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast delete-origin: [^\n]+\n$/) });
    expect(snapshotOf(root)).toEqual(before);
    expect(fs.readdirSync(stored)).toHaveLength(1);
  }
  expect(await runHere(root, ['delete-origin', ORIGIN, '--yes', ...keys])).toMatchObject(done);
  expect(fs.readdirSync(stored)).toEqual([]);
});

test('rekey takes a key to a KMS and from one KMS to another, by what the module names as previous', async () => {
  const folder = temporary();
  const root = path.join(folder, 'root');
  const [key, service] = [randomBytes(32), ways['kms']?.(folder) ?? ''];
  const host = new StorageHost({ root, encryption: { key } });
  host.origin(ORIGIN).localStorage.setItem('k', 'value');
  await host.close();
  fs.writeFileSync(path.join(folder, 'key'), key);
  const first = moduleIn(folder, service);
  const onTheWay = moduleIn(folder, `import fs from 'node:fs'; import to from './keys.mjs'; export default { ...to, previous: [fs.readFileSync(${JSON.stringify(path.join(folder, 'key'))})] };`, 'way.mjs');
  const before = snapshotOf(root);
  expect(await runHere(root, ['rekey', ...FOR, ...first])).toMatchObject({ code: 1, out: expect.stringContaining('nothing was changed') });
  expect(snapshotOf(root)).toEqual(before);
  expect(await runHere(root, ['rekey', ...FOR, ...onTheWay])).toMatchObject({ ...done, out: `${ORIGIN}: its keys are wrapped with the new key\n` });
  expect(await runHere(root, ['keys', ...FOR, ...first])).toMatchObject({ ...done, out: 'k\n' });
  moduleIn(folder, ways['kms']?.(folder) ?? '', 'second.mjs');
  const further = moduleIn(folder, `import { default as was } from './keys.mjs'; import { default as is } from './second.mjs'; export default { ...is, previous: [was.kms] };`, 'further.mjs');
  expect(await runHere(root, ['rekey', '--all', ...further])).toMatchObject({ ...done, out: `${ORIGIN}: its keys are wrapped with the new key\n` });
  expect(await runHere(root, ['keys', ...FOR, '--keys', path.join(folder, 'second.mjs')])).toMatchObject({ ...done, out: 'k\n' });
  expect(await runHere(root, ['keys', ...FOR, ...first])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('could not give the key') });
});

test('one tenant whose key is gone keeps lists from nothing but that tenant, and is named', async () => {
  const folder = temporary();
  const root = path.join(folder, 'root');
  const keys = moduleIn(folder, ways['keyFor']?.(folder) ?? '');
  const gone = moduleIn(folder, `import make from './keys.mjs'; const { keyFor } = await make(); export default { keyFor: (origin) => origin === '${OTHER}' ? Promise.reject(new Error('secret of ${OTHER}')) : keyFor(origin) };`, 'gone.mjs');
  for (const origin of [ORIGIN, OTHER]) expect(await runHere(await rootAt(root), ['set', 'k', 'v', '--origin', origin, ...keys])).toMatchObject(done);
  const { code, out, err } = await runHere(root, ['origins', '--json', ...gone]);
  expect({ code, err }).toEqual({ code: 0, err: `holdfast: The option 'encryption' could not give the key of ${OTHER}.\n` });
  expect(json(out).map(({ origin, buckets }) => [origin, (buckets as { items: number }[])[0]?.items]).sort()).toEqual([[ORIGIN, 1], [OTHER, 0]]);
  const verified = await runHere(root, ['verify', '--json', ...gone]);
  expect(JSON.parse(verified.out)).toMatchObject({ unauthenticated: [OTHER] });
  expect(await runHere(root, ['locks', ...gone])).toMatchObject({ code: 1, out: '', err: `holdfast locks: The option 'encryption' could not give the key of ${OTHER}.\n` });
});

/** An empty one, where there is none. */
async function rootAt(root: string): Promise<string> {
  if (fs.existsSync(root)) return root;
  const host = new StorageHost({ root });
  host.origin('https://plain.example').localStorage.setItem('k', 'v');
  await host.deleteOrigin('https://plain.example');
  await host.close();
  return root;
}

const SECRET = 'a5'.repeat(32);

test.each<[string, string, RegExp]>([
  ['throws', `throw new Error('${SECRET}');`, /cannot be loaded \(it threw an error\)/],
  ['throws no error', `throw '${SECRET}';`, /cannot be loaded \(it threw an error\)/],
  ['is no program', `${SECRET}`, /cannot be loaded \((SyntaxError|it threw an error)\)/],
  ['has a function that throws', `export default () => { throw new Error('${SECRET}'); };`, /cannot be loaded \(it threw an error\)/],
  ['promises, and breaks it', `export default Promise.reject(Object.assign(new Error('no'), { code: '${SECRET.toUpperCase()}' }));`, /cannot be loaded \(it threw an error\)/],
  ['needs what is not there', `import './${SECRET}.mjs';`, /cannot be loaded \([^)]*\)/],
  ['exports nothing', `export const key = '${SECRET}';`, /does not export what opens encrypted origins: Option 'encryption' takes an object of options, not undefined/],
  ['exports a key', `export default '${SECRET}';`, /does not export what opens encrypted origins: Option 'encryption' takes an object of options, not string/],
  ['exports bytes', `export default Buffer.from('${SECRET}', 'hex');`, /does not export what opens encrypted origins/],
  ['exports a key of another length', `export default { key: Buffer.from('${SECRET}') };`, /Option 'encryption.key' must be 32 bytes/],
  ['exports two ways', `export default { key: Buffer.from('${SECRET}', 'hex'), keyFor: () => 1 };`, /takes exactly one of 'key', 'keyFor' and 'kms'/],
  ['exports another option', `export default { encryption: { key: '${SECRET}' } };`, /Option 'encryption' has no option 'encryption'/],
  ['has a key that throws', `export default { get key() { throw new Error('${SECRET}'); } };`, /cannot be loaded \(it threw an error\)/],
])('a module that %s is one line, exit code 1, and nothing is changed', async (_, text, message) => {
  const folder = temporary();
  const root = path.join(folder, 'root');
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await host.close();
  const keys = moduleIn(folder, text);
  const before = snapshotOf(folder);
  for (const args of [['encrypt', '--all'], ['get', 'k', ...FOR], ['import', '--from', path.join(folder, 'none'), '--create', '--root', path.join(folder, 'made')], ['rekey', '--all'], ['restore', '--from', folder], ['delete-origin', ORIGIN, '--yes']]) {
    const { code, out, err } = await runHere(root, [...args, ...keys]);
    expect({ code, out }, args[0]).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(err).toMatch(/^holdfast [a-z-]+: The module '[^\n]+\.\n$/);
    expect(err.replaceAll(`${SECRET}.mjs`, '').toLowerCase()).not.toContain(SECRET.slice(0, 16));
  }
  expect(snapshotOf(folder)).toEqual(before);
});

test('a module that is not there is one line, and with a key file beside it is wrong usage', async () => {
  const folder = temporary();
  const root = await plainRoot(folder);
  expect(await runHere(root, ['get', 'k', ...FOR, '--keys', path.join(folder, 'nowhere.mjs')])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast get: The module '[^']*nowhere\.mjs' of --keys cannot be loaded[^\n]*\n$/) });
  for (const args of [['get', 'k', ...FOR, '--key-file', 'f'], ['encrypt', '--all', '--key-file', 'f'], ['rekey', '--all', '--key-file', 'f'], ['rekey', '--all', '--previous-key-file', 'f']]) {
    expect(await runHere(root, [...args, '--keys', 'm'])).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^holdfast \w+: '--keys' and '--(previous-)?key-file' exclude each other/) });
  }
  expect(await runHere(root, ['get', 'k', ...FOR, '--keys', ''])).toMatchObject({ code: 2, err: expect.stringContaining("'--keys' takes an ES module") });
});

test.each([['backups', '--from', 'd'], ['hub', '--root', 'd'], ['completion', 'bash']])('%s needs no keys, and refuses them by name', async (...args) => {
  expect(await runHere(temporary(), [...args, '--keys', 'm'])).toMatchObject({ code: 2, out: '', err: expect.stringContaining("'--keys'") });
});

test('what never answers is key-pending, the command ends whatever it has open, and nothing is changed', async () => {
  const folder = temporary();
  const root = await plainRoot(folder);
  expect(await runHere(root, ['encrypt', ...FOR, ...moduleIn(folder, ways['keyFor']?.(folder) ?? '')])).toMatchObject(done);
  const open = 'setInterval(() => {}, 1000); const never = () => new Promise(() => {});';
  const service = moduleIn(folder, `${open} export default { keyFor: never };`, 'service.mjs');
  const silent = moduleIn(folder, `${open} export default never;`, 'silent.mjs');
  const before = snapshotOf(root);
  const late = { code: 1, out: '', err: expect.stringMatching(/^holdfast \w+: The key of https:\/\/a\.example is not there yet[^\n]*\n$/) as string };
  const each = [['get', 'k', ...FOR, ...service], ['origins', ...service], ['set', 'k', 'w', ...FOR, ...service], ['export', '--to', path.join(folder, 'a.tar'), ...service]];
  const ended = await Promise.all([...each, ['verify', ...silent]].map((args) => runCommand(root, args)));
  expect(ended).toEqual([late, late, late, late, { ...late, err: expect.stringMatching(/^holdfast verify: The module '[^']*silent\.mjs' of --keys did not say within ten seconds/) as string }]);
  expect(snapshotOf(root)).toEqual(before);
});

test('the inspector shows what a service opens', async () => {
  const folder = temporary();
  const root = await plainRoot(folder);
  const keys = moduleIn(folder, ways['kms']?.(folder) ?? '');
  expect(await runHere(root, ['encrypt', ...FOR, ...keys])).toMatchObject(done);
  const inspecting = await startCommand(root, ['inspect', ...keys]);
  const address = await inspecting.until(() => /^(http.*)\n/.exec(inspecting.output)?.[1]);
  const cookie = (await fetch(address, { redirect: 'manual' })).headers.get('set-cookie')?.split(';')[0] ?? '';
  const ask = async (panel: string): Promise<unknown> => (await fetch(new URL(`/api/${panel}`, address), { method: 'POST', headers: { 'content-type': 'application/json', cookie }, body: JSON.stringify({ origin: ORIGIN, ...(panel === 'files' && { path: [] }) }) })).json();
  expect(await ask('items')).toMatchObject({ rows: [{ key: 'k', value: { text: 'value' } }] });
  expect(await ask('files')).toMatchObject({ rows: [{ name: 'f.txt' }] });
  expect(await ask('locks')).toMatchObject({ locks: [] });
  inspecting.child.kill('SIGINT');
  expect(await inspecting.ended).toBe(0);
});
