import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../src/cli/commands/index.ts';
import { completionScript, shells } from '../../src/cli/completion-scripts.ts';
import { StorageHost } from '../../src/index.ts';
import { commandOf, FOR, ORIGIN, runHere, startCommand, temporary } from './support.ts';

async function rootWith(item = 'v'): Promise<string> {
  const root = path.join(temporary(), 'root');
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('k', item);
  await host.close();
  return root;
}

const each = [
  ['origins'], ['get', ...FOR, 'k'], ['set', ...FOR, 'k', 'v'], ['keys', ...FOR], ['rm', ...FOR, 'k'], ['ls', ...FOR], ['cat', ...FOR, 'opfs:/f'], ['put', ...FOR, '/etc/hostname', 'opfs:/f'],
  ['cp', ...FOR, 'opfs:/f', 'opfs:/g'], ['mv', ...FOR, 'opfs:/f', 'opfs:/g'], ['du'], ['locks'], ['coordinators'], ['watch', ...FOR], ['export', '--to', '/proc/nowhere/a.tar'], ['import', '--from', '/proc/nowhere/a.tar'], ['verify'], ['delete-origin', ORIGIN, ORIGIN], ['sync', 'status'],
];

test.each(each)('%s of a root that is not there, or is somebody else\'s, is one line, exit code 1, and makes nothing', async (...args) => {
  const folder = temporary();
  fs.mkdirSync(path.join(folder, 'foreign', 'origins', 'mine'), { recursive: true });
  const missing = await runHere(path.join(folder, 'none'), args);
  expect(missing).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast [a-z -]+: There is no root at .*none\.\n$/) });
  const foreign = await runHere(path.join(folder, 'foreign'), args);
  expect(foreign).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast [a-z -]+: [^\n]*not Holdfast's[^\n]*\n$/) });
  expect(fs.readdirSync(folder)).toEqual(['foreign']);
});

test.each<[string[], RegExp]>([
  [['get', 'k'], /'--origin ORIGIN' is missing/],
  [['get', ...FOR], /KEY is missing/],
  [['get', ...FOR, 'k', 'l'], /unexpected 'l'/],
  [['set', ...FOR, 'k'], /VALUE is missing/],
  [['set', ...FOR, 'k', 'v', '--from', 'f'], /unexpected 'v'/],
  [['keys', ...FOR, 'k'], /unexpected 'k'/],
  [['rm', ...FOR], /KEY is missing/],
  [['rm', ...FOR, 'k', 'opfs:/f'], /one after the other/],
  [['cat', ...FOR, '/f'], /'\/f' is no path such as/],
  [['cp', ...FOR, 'a', 'b'], /neither of both/],
  [['put', ...FOR, 'opfs:/f'], /opfs:\/PATH is missing/],
  [['du', 'opfs:/f'], /unexpected/],
  [['du', '--depth', 'x'], /'--depth' takes a number/],
  [['export'], /'--to FILE' is missing/],
  [['import'], /'--from FILE' is missing/],
  [['import', '--from', 'f', '--merge', '--replace'], /exclude each other/],
  [['delete-origin', ORIGIN], /the same ORIGIN once more, or --yes, is missing/],
  [['rekey', '--key-file', 'f'], /either '--origin ORIGIN' or '--all' is needed/],
  [['rekey', ...FOR, '--all', '--key-file', 'f'], /either '--origin ORIGIN' or '--all' is needed/],
  [['rekey', '--all'], /'--key-file FILE' is missing/],
  [['encrypt', '--key-file', 'f'], /either '--origin ORIGIN' or '--all' is needed/],
  [['encrypt', '--all'], /'--key-file FILE' is missing/],
  [['completion'], /bash, or zsh, or fish is missing/],
  [['completion', 'csh'], /there is no script for 'csh'/],
  [['origins', '--shared', 'nfs'], /'--shared' takes 'lockfile'/],
])('%j is refused with exit code 2, one line, and where to find help', async (args, message) => {
  const { code, out, err } = await runHere(await rootWith(), args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
  expect(err).toMatch(/^holdfast ([^\n]*): [^\n]+\.\nUsage: holdfast \1[^\n]*\n$/);
});

test.each<[string[], RegExp]>([
  [['get', '--origin', 'null', 'k'], /'null' is not an origin/],
  [['get', ...FOR, 'nope'], /There is no item 'nope'/],
  [['rm', ...FOR, 'nope'], /There is no item 'nope'/],
  [['set', ...FOR, 'k', '--from', '/proc/nowhere/f'], /ENOENT/],
  ...[['get', 'k'], ['keys'], ['rm', 'k'], ['ls'], ['cat', 'opfs:/f'], ['cp', 'opfs:/f', 'opfs:/g'], ['mv', 'opfs:/f', 'opfs:/g'], ['du'], ['locks'], ['watch'], ['coordinators']].map(
    ([command = '', ...rest]): [string[], RegExp] => [[command, '--origin', 'https://nobody.example', ...rest], /has nothing of https:\/\/nobody\.example\./],
  ),
  [['cat', ...FOR, 'opfs:/../f'], /leads out/],
  [['cat', ...FOR, 'opfs:/f'], /There is no opfs:\/f/],
  [['cat', ...FOR, 'opfs:/'], /opfs:\/ is a directory/],
  [['rm', ...FOR, 'opfs:/', '--recursive'], /itself cannot be removed/],
  [['put', ...FOR, '/dev/null', 'opfs:/f'], /neither a file nor a directory/],
  [['put', ...FOR, '/proc/nowhere/f', 'opfs:/f'], /ENOENT/],
  [['export', '--origin', 'https://nobody.example', '--to', '/tmp/never.tar'], /has nothing of https:\/\/nobody\.example/],
  [['export', '--to', '/proc/nowhere/a.tar'], /ENOENT/],
  [['import', '--from', '/proc/nowhere/a.tar'], /ENOENT/],
  [['import', '--from', '/etc/passwd'], /cannot be imported: .* Nothing was changed/],
  [['rekey', '--all', '--key-file', '/proc/nowhere/key'], /The file '\/proc\/nowhere\/key' of --key-file cannot be read/],
  [['delete-origin', 'https://nobody.example', '--yes'], /has nothing of/],
])('%j fails with exit code 1 and one line', async (args, message) => {
  const root = await rootWith();
  const { code, out, err } = await runHere(root, args);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(message);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
});

test('what a tenant has stored does not command a terminal', async () => {
  const root = path.join(temporary(), 'root');
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('\x1b[2J\u202eevil', '\x1b[31m');
  await (await host.origin(ORIGIN).storage.getDirectory()).getFileHandle('\x1b]0;evil\x07', { create: true });
  await host.close();
  expect((await runHere(root, ['keys', ...FOR])).out).toBe('\\u001b[2J\\u202eevil\n');
  expect((await runHere(root, ['ls', ...FOR])).out).toContain('\\u001b]0;evil\\u0007');
});

test('help of every command is aligned, and in no more than 140 columns', async () => {
  for (const { name, options } of commands) {
    const { code, out } = await runHere('', [...name.split(' '), '--help']);
    expect(code).toBe(0);
    const lines = out.split('\n').filter((line) => line.startsWith('  --'));
    expect(lines.map((line) => /--([a-z-]+)/.exec(line)?.[1])).toEqual(Object.keys(options));
    expect(new Set(lines.map((line) => /^ {2}--\S+(?: [A-Za-z]+)? {2,}/.exec(line)?.[0].length)).size).toBeLessThanOrEqual(1);
    expect(Math.max(...out.split('\n').map(({ length }) => length)), name).toBeLessThanOrEqual(140);
  }
});

test.each(shells)('the completion script for %s names every command and option, and the shell takes it', async (shell) => {
  const script = completionScript(shell, commands);
  for (const { name, options } of commands) {
    for (const word of name.split(' ')) expect(script).toContain(word);
    for (const option of Object.keys(options)) expect(script).toContain(shell === 'fish' ? `-l ${option}` : `--${option}`);
  }
  if (shell !== 'bash') return;
  const completed = (words: string): string[] => {
    const line = `COMP_WORDS=(${words} ""); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _holdfast; echo "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', `${script}\n${line}`], { encoding: 'utf8' }).trim().split(' ');
  };
  expect(completed('holdfast')).toEqual(expect.arrayContaining(['origins', 'delete-origin', 'sync', '--help']));
  expect(completed('holdfast import')).toEqual(expect.arrayContaining(['--from', '--merge', '--root']));
  expect(completed('holdfast sync')).toContain('status');
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends an export, an import and a put without harm', async (signal) => {
  const root = await rootWith();
  const file = path.join(temporary(), 'large');
  fs.writeFileSync(file, Buffer.alloc(8 * 2 ** 20, 1));
  await commandOf(root)('put', ...FOR, file, 'opfs:/large');
  const exporting = await startCommand(root, ['export', '--to', '-']);
  exporting.child.stdout?.pause();
  await new Promise((resolve) => exporting.child.stdout?.once('readable', resolve));
  exporting.child.kill(signal);
  exporting.child.stdout?.resume();
  expect(await exporting.ended).toBe(1);
  const putting = await startCommand(root, ['put', ...FOR, '-', 'opfs:/half']);
  putting.child.stdin?.write('the first half');
  const swap = path.join(root, 'origins/https_a.example/default/swap');
  await expect.poll(() => fs.readdirSync(swap).flatMap((name) => fs.readdirSync(path.join(swap, name))).length).toBeGreaterThan(0);
  putting.child.kill(signal);
  expect(await putting.ended).toBe(1);
  expect((await runHere(root, ['ls', ...FOR, '--json'])).out).toMatch(/^\{"path":"opfs:\/large"[^\n]*\}\n$/);
  const importing = await startCommand(root, ['import', '--from', '-', '--replace']);
  importing.child.stdin?.write(Buffer.alloc(100));
  await expect.poll(() => fs.readdirSync(path.join(root, 'new')).length).toBeGreaterThan(0);
  importing.child.kill(signal);
  expect(await importing.ended).toBe(1);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  expect((await runHere(root, ['get', ...FOR, 'k'])).code).toBe(0);
});
